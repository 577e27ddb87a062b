"""A hostile command line: whatever stands where a name, a number, a day or a file should, every command says in one
line what is wrong, and has done nothing by then.

Each command runs in this process. The parser says which there are and what they take, so that a new one needs a row.
Whoever runs this may own the whole machine, and a command may be wrong: every path that is given, with whatever leads
out of a folder in it, ends in the test's own folder. That is looked at before each command.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

import joinery.__main__ as command_line
from joinery.apps.base.columns import select
from joinery.apps.measures.actions import Layout, Wanted, upload_series
from joinery.apps.place.actions import OrganisationDetails, propose, register_organisation, set_home
from joinery.site import setup
from tests.pages.feed_world import take_text
from tests.pages.world import ACTOR, COUNCIL, SURGERY, TRUST, World, patient, person_id
from tests.site.feeds import people_file
from tests.site.test_command_line import commands

pytestmark = pytest.mark.django_db  # each within what the module shares
PARSER = command_line.parser()
COMMANDS = dict(commands(PARSER))
TEXTS = {
    "nothing": "",
    "what breaks out": "'); DROP TABLE base_user; -- %s %(id)s {0.__class__} {{ 7 * 7 }}\r\n\t=1+1 \u202e\U0010ffff",
    "many digits": "9" * 5000,
    "a path": "../../elsewhere/secret.txt",
}
NUMBERS_AND_DAYS = {
    "past a long": str(2**63),
    "a negative number": "-1",
    "digits of elsewhere": "٣²",
    "no number": "nan",
    "no end": "1e999",
    "the first day": "0001-01-01",
    "the last day": "9999-12-31",
}
FILES = {
    "empty": b"",
    "NUL": b"\0" * 5000,
    "no text": b"\xff\xfe\xed\xa0\x80\x81",
    "UTF-16": "person_id,family_name\r\n1,Hale\r\n".encode("utf-16"),
    "a formula": b"person_id,family_name\n=cmd|' /C calc'!A0,@SUM(1)\n",
    "one long line": b"x" * 1_500_000,
    "brackets": b"[" * 50_000,
    "many digits": b'{"a": ' + b"9" * 5000 + b"}",
    "packed": b"\x1f\x8b\x08" + b"\xff" * 200,
    "a workbook": b"PK\x03\x04" + b"\xff" * 200,
    "SQL": b"'); DROP TABLE base_user; --\n",
    "a day that is none": b"organisation,period,value\nZA1,2026-13,nan\n",
}
# A place that is not there, so that nothing runs: what the options may be is looked at before.
TWIN = {
    "place": "none.toml", "--years": "1", "--warmup": "1y", "--reps": "2", "--seed": "1", "--workers": "1",
    "--precise": "occupied acute=2", "--most": "2", "--charts": "charts",
}  # fmt: skip
# Each command, and what it is called with by somebody who means well: {} stand for what the place holds.
ROWS: dict[str, dict[str, str]] = {
    "demo": {"--people": "1", "--seed": "1", "--as-of": "2026-11-21", "--port": "{port}"},
    "run": {"--host": "127.0.0.1", "--port": "{port}"},
    "migrate": {},
    "take": {"files": "{file}", "--feed": "council", "--from": COUNCIL},
    "listen": {"--from": "NOBODY", "--host": "127.0.0.1", "--port": "{port}"},
    "opt-outs": {"--asked": "{numbers}", "--allowed": "{numbers}"},
    "unmerge": {"number": "RZZPAS/H4009999", "--from": TRUST},
    "wrong-patients": {},
    "watch": {"folder": "{folder}", "--still": "0"},
    "mesh": {},
    "feeds list": {},
    "feeds returned": {"submission": "{submission}", "--out": "{out}"},
    "feeds retake": {"--feed": "council", "--from": COUNCIL},
    "feeds variant": {"file": "{variant}", "--feed": "council", "--from": COUNCIL},
    "link files": {"files": "{file}", "--columns": "{map}", "--out": "{out}"},
    "link run": {},
    "link explain": {"of": "{record}", "other": "{other_record}"},
    "link merge": {"person": "{person}", "other": "{other}", "--by": "a@b.example", "--note": "Alike"},
    "link split": {"person": "{person}", "--record": "{record}", "--note": "Not alike"},
    "link undo": {"record": "{record}", "other": "{other_record}", "--note": "Not so"},
    "place start": {"code": COUNCIL, "--name": "Vale Council", "--email": "lea@shore.example", "--lead": "Lea Ord"},
    "place take": {"files": "{file}", "--on": "2026-11-21"},
    **dict.fromkeys(
        ("place show", "place successors", "place predecessors", "place history"),
        {"code": "ZN1", "--at": "2026-11-21", "--known-at": "2026-11-21", "--proposal": "{proposal}"},
    ),
    "place responsible": {
        "--lsoa": "E01000001", "--postcode": "ZZ1 1AA", "--at": "2026-11-21", "--known-at": "2026-11-21",
        "--proposal": "{proposal}",
    },
    "place atoms": {"--set": "neighbourhood@2026-11-21", "--proposal": "{proposal}", "--out": "{out}"},
    "place merge": {
        "codes": "ZN1", "--into": "ZN9", "--name": "Shore", "--form": "neighbourhood", "--instrument": "order",
        "--contracts": "novated", "--on": "2031-04-01", "--proposal": "{proposal}",
    },
    "place split": {
        "code": "ZN1", "--part": "ZN9", "--name": "ZN9=Shore", "--form": "neighbourhood", "--instrument": "order",
        "--contracts": "novated", "--on": "2031-04-01", "--proposal": "{proposal}",
    },
    "place move": {
        "code": "ZN1", "--from": COUNCIL, "--to": TRUST, "--instrument": "order", "--contracts": "novated",
        "--on": "2031-04-01", "--proposal": "{proposal}",
    },
    "place rename": {"code": "ZN1", "name": "Quayside", "--on": "2031-04-01", "--proposal": "{proposal}"},
    "place lead": {"code": "ZN1", "--name": "Ada", "--from": "2031-04-01", "--proposal": "{proposal}"},
    "place add": {
        "code": "ZN9", "--name": "Shore", "--form": "neighbourhood", "--from": "2031-04-01", "--proposal": "{proposal}",
    },
    "place propose": {"title": "One quay"},
    "place proposals": {},
    "place adopt": {"proposal": "{proposal}"},
    "place drop": {"proposal": "{proposal}"},
    "place waiting": {},
    "place decide": {"membership": "1", "--people": "ZN1", "--to": "ZN2", "--end": "2026-11-21"},
    "series upload": {
        "file": "{series_file}", "--series": "Visits", "--unit": "visits", "--value": "value", "--numerator": "value",
        "--denominator": "value", "--organisation": "organisation", "--period": "period", "--by": "organisation",
        "--each": "month", "--kind": "count",
    },
    "series list": {},
    "series show": {
        "name": "Visits", "--for": SURGERY, "--at": "2026-11-21", "--known-at": "2026-11-21",
        "--proposal": "{proposal}",
    },
    "staff add": {
        "name": "Ann Hill", "--role": "gp", "--at": SURGERY, "--email": "ann@shore.example", "--until": "2026-12-24",
    },
    "staff list": {"--at": SURGERY},
    "staff invite": {"membership": "1"},
    "staff end": {"membership": "1"},
    "twin check": {"place": "{file}"},
    "twin run": TWIN,
    "twin compare": TWIN | {"changed": "none.toml"},
    "bars key": {"organisation": TRUST},
    "bars send": {},
    "audit verify": {},
    "backup": {"file": "{out}"},
    "restore": {"file": "{file}", "--keys": "{file}"},
}  # fmt: skip
# What stands there belongs to the command as it is meant here: it looks once, and does not serve.
ALSO = {"watch": ["--once"]}
# One that is left out where the other is given.
NOT_WITH = {"--value": ("--numerator", "--denominator"), "--numerator": ("--value",), "--denominator": ("--value",)}
# What they write where a name is only strange is a file like any other: they get names under which none can be written.
WRITTEN = {("feeds returned", "--out"), ("link files", "--out"), ("place atoms", "--out"), ("backup", "file")}
# A refusal is an entry of these, on purpose, and so is that somebody tried to send.
KEPT = ("base_actionentry", "base_access", "base_capture", "record_source")
# Of the files of a folder each is taken or refused by itself.
FOLDERS = ("", ".", "..", "link to a folder")


def takes(command: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """What a command takes that holds a value, by the name under which it is given."""
    found = [each for each in command._actions if each.nargs != 0 and not isinstance(each, argparse._SubParsersAction)]
    return {(each.option_strings or [each.dest])[-1]: each for each in found}


@pytest.fixture(scope="module")
def place(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """A place with bodies, people, a row in quarantine, a series and a proposal: what stands for the {} of a row."""
    folder = tmp_path_factory.mktemp("hostile")
    with django_db_blocker.unblock(), transaction.atomic(), socket.create_server(("127.0.0.1", 0)) as taken:
        yield made(folder) | {"port": str(taken.getsockname()[1])}
        transaction.set_rollback(True)


def made(folder: Path) -> dict[str, str]:
    world = World(folder)
    acting = {"actor": ACTOR, "at": world.at}
    for code, name in (("ZN1", "Quay"), ("ZN2", "Hill")):
        register_organisation(details=OrganisationDetails(code, name, "neighbourhood"), **acting)
    set_home(code=COUNCIL, **acting)
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada"), patient("p2", "Marsh", "Cora", born="1950-05-05"))
    wrong = take_text(folder, world.at, '{"resourceType": "Patient", "id": "b1"}\n', sender=SURGERY, feed="fhir")
    series = folder / "visits.csv"
    series.write_text(f"organisation,period,value\n{SURGERY},2026-01,7\n")
    upload_series(path=series, layout=Layout((Wanted("Visits"),)), **acting)
    records = [str(row[0]) for row in select("SELECT id FROM record_sourcerecord ORDER BY id")]
    (folder / "in" / COUNCIL / "council").mkdir(parents=True)
    people_file(folder / "person.csv", 1)
    (folder / "variant.toml").write_text('name = "liquid"\nday_first = true\n')
    (folder / "map.yaml").write_text("family_name: family_name\nid: person_id\n")
    (folder / "numbers.csv").write_text("9990001111\n")
    return {
        "folder": str(folder / "in"), "map": str(folder / "map.yaml"), "numbers": str(folder / "numbers.csv"),
        "variant": str(folder / "variant.toml"),
        "file": str(folder / "person.csv"), "out": str(folder / "new.csv"),
        "submission": str(wrong.submission_id), "proposal": str(propose(title="One surgery", **acting)),
        "record": records[0], "other_record": records[1], "person": person_id("Patient/p1"),
        "other": person_id("Patient/p2"), "series_file": str(series),
    }  # fmt: skip


def test_every_command_has_a_row_with_all_that_it_takes() -> None:
    assert {name: set(row) for name, row in ROWS.items()} == {name: set(takes(each)) for name, each in COMMANDS.items()}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where commands run: files of every kind, links that lead out, and what is no file."""
    (here := tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(here)
    (elsewhere := tmp_path / "elsewhere").mkdir()
    (elsewhere / "secret.txt").write_text("Nobody reads this")
    (here / "link to a file").symlink_to(elsewhere / "secret.txt")
    (here / "link to a folder").symlink_to(elsewhere)
    (here / "link to itself").symlink_to("link to itself")
    os.mkfifo(here / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        yield here


NO_FILES = ("link to a file", "link to a folder", "pipe", "socket", ".", "..", "not/there", "pipe/x")


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row])
def test_a_command_that_is_given_anything_says_in_a_line_what_is_wrong(
    name: str, place: dict[str, str], folder: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The same each time, and most of the time of each.
    monkeypatch.setattr(command_line, "parser", lambda: PARSER)
    for each in (setup.refuse_unready, setup.migrate):
        monkeypatch.setattr(setup, each.__name__, cache(each))
    monkeypatch.setattr(setup, "DEFINITIONS", folder)  # the bodies of England take seconds
    good = {key: value.format(**place) for key, value in ROWS[name].items()}
    PARSER.parse_args(words_of(name, "", good))
    wrong, lying, before = [], files(folder), rows()
    for argument, what, given in hostile(name, good, folder):
        with transaction.atomic():
            said = ended(words_of(name, argument, good | {argument: given}), capsys)
            if said[0] == 1 and given not in FOLDERS and rows() != before:
                wrong.append(f"{argument} is {what}: something was written")
            transaction.set_rollback(True)
        wrong += [f"{argument} is {what}: {each}" for each in faults(*said)]
    assert not wrong, "\n".join(wrong)
    assert set(lying) <= set(files(folder)), "files were moved"
    assert (folder / "../../elsewhere/secret.txt").read_text() == "Nobody reads this"


def test_what_is_no_text_is_told_before_any_command_begins(capsys: Any) -> None:
    for wrong in ("a\0b", "a\udcff"):
        for words in (
            ["take", wrong, "--feed", "fhir"],
            ["place", "propose", wrong],
            ["staff", "list", f"--at={wrong}"],
        ):
            code, out, err = ended(words, capsys)
            assert (code, out) == (2, "") and err.splitlines()[-1].endswith("give the file another name.")


def hostile(name: str, good: dict[str, str], folder: Path) -> Iterator[tuple[str, str, str]]:
    """Each argument, with what each hostile thing in its place is called, and is."""
    for argument in good:
        kind, written = takes(COMMANDS[name])[argument].type, (name, argument) in WRITTEN
        if kind is not Path and argument != "place":
            texts = TEXTS | (NUMBERS_AND_DAYS if kind else {})
            yield from ((argument, what, text) for what, text in texts.items())
            continue
        paths = {each: each for each in NO_FILES} | {"a long name": "x" * 5000}
        if not written:
            paths |= TEXTS | {"link to itself": "link to itself"}
            paths |= {f"a file: {what}": str(path) for what, path in made_files(good[argument], folder).items()}
        for what, path in paths.items():
            stays_within(folder, path)
            yield argument, what, path


def made_files(like: str, folder: Path) -> dict[str, Path]:
    """Files of every kind, whose names end as that of a good one does."""
    made = {}
    for number, (what, content) in enumerate(FILES.items()):
        made[what] = folder / f"{number}{Path(like).suffix}"
        made[what].write_bytes(content)
    return made


def stays_within(folder: Path, path: str) -> None:
    """Fail the test before a command is given a path that is not the test's own, by its words or by its links."""
    own = folder.parents[1].resolve()
    if "\0" not in path and len(path) < 1000:
        assert Path(os.path.realpath(folder / path)).is_relative_to(own), path


def files(folder: Path) -> list[Path]:
    """Everything that lies there and is no folder."""
    return [path for path in folder.parents[1].rglob("*") if not path.is_dir()]


def words_of(name: str, changed: str, given: dict[str, str]) -> list[str]:
    """The command line. Of options that shut each other out, the one that is tried stays."""
    command, left_out = COMMANDS[name], set(NOT_WITH.get(changed, ()))
    for group in command._mutually_exclusive_groups:
        names = [(each.option_strings or [each.dest])[-1] for each in group._group_actions]
        left_out |= set(names) - {changed if changed in names else names[0]}
    if name == "series upload" and changed not in NOT_WITH:
        left_out |= {"--numerator", "--denominator"}
    options = [f"{key}={value}" for key, value in given.items() if key.startswith("--") and key not in left_out]
    values = [value for key, value in given.items() if not key.startswith("--") and key not in left_out]
    return [*name.split(), *options, *ALSO.get(name, []), "--json", *(["--", *values] if values else [])]


def ended(words: list[str], capsys: Any) -> tuple[int | str, str, str]:
    """How a command ended, or where it failed, and what it said on standard output and standard error."""
    try:
        with transaction.atomic():
            code: int | str = command_line.main(words)
    except SystemExit as end:
        code = int(str(end.code))
    except Exception:
        code = traceback.format_exc()
    said = capsys.readouterr()
    return code, said.out, said.err


def faults(code: int | str, out: str, err: str) -> Iterator[str]:
    """What is wrong with how a command ended. What it could do it may have done."""
    lines = err.splitlines()
    if code not in (0, 1, 2) or "Traceback" in err:
        yield f"it ended with {str(code)[-300:]}: {err[-300:]}"
        return
    if code == 2 and (out or not re.match("joinery( .*)?: error: ", lines[-1])):
        yield f"no line says how it goes: {out} {lines[-1:]}"
    if code in (0, 1) and not isinstance(json.loads(out), dict):
        yield "it answered something else than JSON"
    if code == 1 and not any(line.startswith("joinery: ") for line in lines):
        yield f"no line says what is wrong: {err[-300:]}"
    if max(map(len, lines), default=0) > 1_100:
        yield "a line that is said goes on for ever"


@cache
def _count() -> str:
    tables = [name for name in connection.introspection.table_names() if name not in KEPT]
    return " + ".join(f'(SELECT COUNT(*) FROM "{name}")' for name in tables)


def rows() -> int:
    """How many rows the database holds, but for the entries of what was refused."""
    return int(select(f"SELECT {_count()}")[0][0])
