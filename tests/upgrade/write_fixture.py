"""Write the fixture of a version: a small made-up place, and what its people see. Done once, at a release.

In a checkout of the version:

    python -m tests.upgrade.write_fixture tests/upgrade/v0.4.0.json.gz

and then the same again with JOINERY_DATABASE naming a PostgreSQL server, which adds what differs there:
the seals, for a digest is of values as their database returns them. A file is never written anew for the
sake of later code: what it promises was promised. This program and `seen.py` use the doors of the version
that they stand beside, so they are brought up to date at each release. 0.1.0 was commit ed5cfe5, 0.2.0
commit 1de1b49, 0.4.0 commit 5f38b53, each with this folder copied into it.

The place is the demonstration (5 people, seed 1, as of 1 November 2026, Margaret Smith among them) and what
a real one has besides: an organisation whose name has changed, a user with two posts and one with none,
files of a sender without a name, rows in quarantine, an alert and a line that are withheld, looks allowed
and refused, an intake that was killed before it was published, sealed logs and a row not sealed yet.
Keys and passwords in the file belong to this place alone: they open and sign nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from tests.support import URL, Deployment, copied_deployment, empty_deployment
from tests.upgrade import fixture as fixtures

DEMO = ("demo", "--people", 5, "--seed", 1, "--as-of", "2026-11-01", "--no-serve")
ABOUT = (
    "A made-up place for the test of upgrades. Nobody in it is real; its keys and passwords were made for this file, "
    "and open and sign nothing else."
)
# Ends the process where every row is staged and nothing is published.
KILLED = """
import os, sys
from joinery.site import setup
setup.load()
from joinery.apps.record.actions import intake
intake.publish = lambda **arguments: os._exit(9)
from joinery.__main__ import main
main(sys.argv[1:])
"""
SEAL = """
from joinery.site import setup
setup.load()
from django.conf import settings
from django.utils import timezone
from joinery.apps.base import seal
seal.seal(keys=seal.Keys(settings.KEYS), at=timezone.now())
"""


def main(path: Path) -> None:
    """Write the fixture, or add to it what PostgreSQL makes different."""
    with tempfile.TemporaryDirectory() as folder:
        if URL:
            fixture = fixtures.read(path)
            fixture["on_postgresql"] = sealed_on_postgresql(fixture, Path(folder))
        else:
            fixture = written(Path(folder))
        fixtures.write(path, fixture)
        with empty_deployment(Path(folder) / "again") as again:
            fixtures.make(fixture, again)
            found = again.json("audit", "verify")  # with no migration: this is the deployment that it was
            assert found["ok"] and found["rows"] > 0, found
            assert URL or fixtures.tables_of(again.data / "joinery.sqlite3") == fixture["tables"]


def written(folder: Path) -> fixtures.Fixture:
    """The fixture of a deployment that is made for it, in the folder, on SQLite."""
    made = Deployment(folder / "data")
    ran(made, *DEMO)
    sent = sent_files(made.data / "feeds") | additional_files()
    fixtures.take(made, {name: sent[name] for name in ("margaret.ndjson", "unnamed.ndjson")}, folder)
    from joinery.site import setup

    setup.load(made.data)
    people_join()
    visits(margaret())
    killed(made, folder, sent["killed.ndjson"])
    ran(made, "backup", folder / "sealed")  # a backup seals what there is
    visits(margaret())
    fixture = dumped(made)
    with copied_deployment(made, folder / "copy") as copy:
        fixture["promises"] = promises(copy, fixture)
        for name, counts in fixtures.take(copy, sent, folder).items():
            sent[name]["again"] = counts
    return fixture | {"sent": sent, "on_postgresql": {}}


def ran(deployment: Deployment, *words: object) -> None:
    done = deployment.run(*words)
    assert done.returncode == 0, done.stderr


def sent_files(feeds: Path) -> dict[str, Any]:
    """Some files of the demonstration's last day, to be taken again."""
    newest = feeds / "council/999/2026-11-01"
    tables = ("person", "alert", "service", "relationship")
    files = {f"{table}.csv": ("council", "999", (newest / f"{table}.csv").read_bytes()) for table in tables}
    files["nurses.json"] = ("fhir", "ZC1", (feeds / "fhir/ZC1/2026-11-01-01.json").read_bytes())
    return {name: {"feed": feed, "from": sender, "text": sent.decode()} for name, (feed, sender, sent) in files.items()}


def additional_files() -> dict[str, Any]:
    """What the demonstration does not send: withheld things, a sender without a name, and a file whose intake is
    killed."""
    files = {
        "margaret.ndjson": ("Z90002", [
            patient("hm", "Smith", "Margaret", "1941-03-03", "9990001111"),
            about("Condition", "hc", "hm", "subject", "Told to this practice in confidence", restricted=True),
            about("Flag", "hf", "hm", "subject", "Speak to her alone", restricted=True),
            about("AllergyIntolerance", "ha", "hm", "patient", "Latex") | {"fromTheFuture": True},
        ]),
        "unnamed.ndjson": ("", [
            patient("ua", "Alder", "Rowan", "1950-01-02", ""),
            about("Condition", "uc", "ua", "subject", "Eczema"),
        ]),
        "killed.ndjson": ("Z90001", [
            patient("kb", "Birch", "Hazel", "1961-02-03", ""),
            about("Condition", "kc", "kb", "subject", "Gout"),
        ]),
    }  # fmt: skip
    return {
        name: {"feed": "fhir", "from": sender, "text": "".join(json.dumps(each) + "\n" for each in resources)}
        for name, (sender, resources) in files.items()
    }


def patient(local_id: str, family: str, given: str, born: str, number: str) -> dict[str, Any]:
    made: dict[str, Any] = {"resourceType": "Patient", "id": local_id, "birthDate": born}
    made["name"] = [{"use": "official", "family": family, "given": [given]}]
    if number:
        made["identifier"] = [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": number}]
    return made


def about(kind: str, local_id: str, of: str, element: str, words: str, *, restricted: bool = False) -> dict[str, Any]:
    made = {"resourceType": kind, "id": local_id, element: {"reference": f"Patient/{of}"}, "code": {"text": words}}
    if kind == "Flag":
        made["status"] = "active"
    if restricted:
        made["meta"] = {"security": [{"code": "R"}]}
    return made


def people_join() -> None:
    """A practice takes another name; somebody holds two posts in two bodies, somebody none."""
    from joinery.apps.base.action import Actor
    from joinery.apps.base.actions import add_user
    from joinery.apps.place.actions import add_membership, rename

    actor, at = Actor.system("demo"), datetime(2026, 10, 31, 9, tzinfo=UTC)
    rename(code="Z90002", name="Harbour Street Surgery", on=date(2026, 10, 31), actor=actor, at=at)
    add_user(email="idris@demo.example", name="Idris Vaughan", password=None, actor=actor, at=at)
    nell = add_user(email="nell@demo.example", name="Nell Ford", password=None, actor=actor, at=at)
    for code, role in (("Z90002", "gp"), ("999", "social_worker")):
        add_membership(
            user_id=nell, organisation_code=code, role=role, from_date=date(2026, 10, 31), actor=actor, at=at
        )


def margaret() -> str:
    """The id of Mrs Smith."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT k.person_id FROM record_link k JOIN record_details d ON d.record_id = k.record_id "
            "WHERE d.nhs_number = '9990001111' AND d.given_name = 'Margaret' ORDER BY k.id DESC LIMIT 1"
        )
        return str(cursor.fetchone()[0])


def visits(person_id: str) -> None:
    """Some log in and look, by the pages; some are refused."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    page = f"/people/{person_id}/"
    for name, addresses in {
        "tom": (page, f"{page}who-has-looked/"),
        "bronagh": (page, f"{page}?show=health"),
        "nell": (page,),
        "ruth": (page, "/people/0000000000000000/"),
        "idris": (page,),
    }.items():
        client = Client(SERVER_NAME="localhost")
        user = get_user_model().objects.get(email=f"{name}@demo.example")
        client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
        client.post("/", {"family_name": "Smith", "birth_year": "1941", "birth_month": "3", "birth_day": "3"})
        for address in addresses:
            client.get(address)


def killed(deployment: Deployment, folder: Path, file: dict[str, Any]) -> None:
    """An intake that a power cut ended: its drafts are in the database and count for nothing."""
    (folder / "killed.ndjson").write_bytes(file["text"].encode())
    words = ("take", "--feed", file["feed"], "--from", file["from"], folder / "killed.ndjson")
    done = subprocess.run([sys.executable, "-c", KILLED, *map(str, words)], env=deployment.env, check=False)
    assert done.returncode == 9


def dumped(deployment: Deployment) -> fixtures.Fixture:
    """Everything that the deployment is, as text."""
    from django.db import connection

    from joinery import __version__
    from joinery.apps.base import triggers

    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY id")
        migrations = dict(cursor.fetchall())
    connection.close()
    fixture: fixtures.Fixture = {
        "about": ABOUT,
        "version": __version__,
        "migrations": migrations,
        fixtures.FILES_KEY: {name: fixtures.as_text((deployment.data / name).read_bytes()) for name in fixtures.FILES},
        "triggers": {vendor: [list(t.statements) for t in triggers.wanted(vendor)] for vendor in fixtures.VENDORS},
        "tables": fixtures.tables_of(deployment.data / "joinery.sqlite3"),
    }
    now = datetime.now(UTC).isoformat(sep=" ")
    for name, table in fixture["tables"].items():
        # What ends one day is a promise that breaks by itself on that day; a proposal is none.
        for row in fixtures.rows_of(table) if name != "place_statement" else ():
            assert all((row.get(end) or "") < now for end in ("to_date", "until_at")), (name, row)
    return fixture


def promises(copy: Deployment, fixture: fixtures.Fixture) -> dict[str, Any]:
    """What the people of the deployment see, asked in a copy, for every look leaves its rows."""
    tables = fixture["tables"]
    people = [row["id"] for row in fixtures.rows_of(tables["record_person"])]
    organisations = [row["code"] for row in fixtures.rows_of(tables["place_organisation"])]
    answer = fixtures.look(copy, people, organisations)
    looked = [row["person_id"] for row in fixtures.rows_of(tables["base_access"])]
    answer["looks"] = {
        person_id: rows[-looked.count(person_id) :]
        for person_id, rows in answer["looks"].items()
        if person_id in looked
    }
    return answer


def sealed_on_postgresql(fixture: fixtures.Fixture, folder: Path) -> dict[str, Any]:
    """The table of seals and the head that the same logs have there."""
    blank = fixture["tables"]["base_sealedblock"] | {"rows": []}
    unsealed = fixture | {"on_postgresql": {"tables": {"base_sealedblock": blank}, fixtures.FILES_KEY: {}}}
    files = fixture[fixtures.FILES_KEY].items()
    unsealed[fixtures.FILES_KEY] = {name: content for name, content in files if name != "keys/joinery.head"}
    with empty_deployment(folder / "data") as made:
        fixtures.make(unsealed, made)
        subprocess.run([sys.executable, "-c", SEAL], env=made.env, check=True)
        columns = ", ".join(f'"{name}"' for name in blank["columns"])
        rows = made.sql(f"SELECT {columns} FROM base_sealedblock ORDER BY id")
        head = fixtures.as_text((made.data / "keys/joinery.head").read_bytes())
    return {
        "tables": {"base_sealedblock": blank | {"rows": [[_portable(value) for value in row] for row in rows]}},
        fixtures.FILES_KEY: {"keys/joinery.head": head},
    }


def _portable(value: Any) -> Any:
    if isinstance(value, datetime):
        return str(value.astimezone(UTC).replace(tzinfo=None))
    if isinstance(value, list):
        return json.dumps(value)
    return fixtures.as_text(bytes(value)) if isinstance(value, (bytes, memoryview)) else value


if __name__ == "__main__":
    main(Path(sys.argv[1]))
