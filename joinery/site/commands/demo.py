"""`joinery demo`: a made-up place, its files taken in like anybody's, its people ready to sign in."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson

from joinery.site import setup
from joinery.site.commands import Problem, say

if TYPE_CHECKING:
    from joinery.site.demo.build import Manifest

LONDON = ZoneInfo("Europe/London")
# Feeds arrive before the day begins.
RECEIVED = time(6, 10)
PASSWORD = "wexcombe-demo-only"  # noqa: S105 (refused anywhere but on the machine itself)
HOME = "ZPL01"
# Longer than anything was asked of them (`demo/waits.py`), and not so long that their posts are to be looked over.
IN_POST = timedelta(days=80)
USERS: tuple[dict[str, Any], ...] = (
    {"name": "Tom Okafor", "email": "tom@demo.example", "role": "gp", "organisation": "Z90001"},
    {"name": "Bronagh Kelly", "email": "bronagh@demo.example", "role": "community_nurse", "organisation": "ZC1"},
    {"name": "Priya Shah", "email": "priya@demo.example", "role": "social_worker", "organisation": "999"},
    {"name": "Sam Ellis", "email": "sam@demo.example", "role": "care_co_ordinator", "organisation": "999"},
    {"name": "Ruth Adeyemi", "email": "ruth@demo.example", "role": "integration_lead", "organisation": "999"},
    # Two, because a merge takes two people.
    {"name": "Gwen Pascoe", "email": "gwen@demo.example", "role": "records_officer", "organisation": "999"},
    {"name": "Hal Morton", "email": "hal@demo.example", "role": "records_officer", "organisation": "ZC1"},
    {"name": "Ines Calder", "email": "ines@demo.example", "role": "care_home_manager", "organisation": "1-999000104"},
    # A group that runs Harbour Home Care, Orchard Lea and more: she sees the people of all of them.
    {"name": "Rhona Blythe", "email": "rhona@demo.example", "role": "care_home_manager", "organisation": "1-999000001"},
    {"name": "Owen Rudd", "email": "owen@demo.example", "role": "home_care_manager", "organisation": "1-999000102"},
    {"name": "Farah Aziz", "email": "farah@demo.example", "role": "hospital_nurse", "organisation": "ZH1"},
    {"name": "Ivy Trew", "email": "ivy@demo.example", "role": "privacy_officer", "organisation": "ZPL01"},
    {"name": "Jonah Reed", "email": "jonah@demo.example", "role": "staff_manager", "organisation": "ZC1"},
    {"name": "Kit Rowe", "email": "kit@demo.example", "role": "analyst", "organisation": "999"},
    # Where she worked was split, after she had come: her membership waits for a decision.
    {
        "name": "Nia Bowen", "email": "nia@demo.example", "role": "care_co_ordinator", "organisation": "ZL4",
        "since": date(2025, 1, 6),
    },
)  # fmt: skip
# Mrs Smith, and her son who acts for her: they see her record, and no other.
PERSON_NUMBER = "9990001111"
OWN: tuple[dict[str, str], ...] = (
    {"name": "Margaret Smith", "email": "margaret@demo.example", "kind": "own", "role": "her own record"},
    {"name": "David Smith", "email": "david@demo.example", "kind": "carer", "role": "his mother’s record"},
)


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Build the demonstration unless it is there already; then serve it, unless told not to."""
    from joinery.site.commands import run as serving

    data = Path(os.environ.get("JOINERY_DATA", "joinery-data")).absolute()
    if not arguments.no_serve:
        serving.refuse_taken_port("127.0.0.1", arguments.port)
    if not 2 <= arguments.people <= 20_000:
        raise Problem("--people must be from 2 to 20,000.")
    if (data / "demo.json").exists():
        say(f"The demonstration in {data} is there already; delete that folder to build another.")
        setup.load()
    else:
        _refuse_other_deployment(data)
        _build(data, arguments)
    try:
        setup.refuse_unready()
    except setup.NotReady as not_ready:
        raise Problem(str(not_ready)) from None
    answer = orjson.loads((data / "demo.json").read_bytes())
    _tell(answer)
    if arguments.no_serve:
        return answer["built"], 0
    say(f"\nOpen http://127.0.0.1:{arguments.port}/ in a browser. Stop with Ctrl+C.")
    return answer["built"], serving.serve("127.0.0.1", arguments.port)


def _refuse_other_deployment(data: Path) -> None:
    if (data / "demo.building").exists():
        shutil.rmtree(data)  # an earlier build was stopped half way
    if data.exists() and any(data.iterdir()):
        raise Problem(f"{data} holds something else. Choose an empty folder: JOINERY_DATA=FOLDER joinery demo")


def _build(data: Path, arguments: argparse.Namespace) -> None:
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    (data / "demo.building").touch()
    os.environ["JOINERY_BUILDING_DEMO"] = "1"
    setup.load()
    from django.db import connection

    if not setup.is_new():
        raise Problem("The database is not empty. A demonstration needs one of its own.")
    setup.migrate()
    now = datetime.now(LONDON)
    as_of = arguments.as_of or (now.date() if now.time() > RECEIVED else now.date() - timedelta(days=1))
    say(f"Making {arguments.people:,} people and what their services would send …")
    from joinery.site.demo import waits
    from joinery.site.demo.build import build

    manifest = build(data / "feeds", arguments.people, arguments.seed, as_of)
    _arrange_place(manifest, as_of)
    built = _take(manifest, as_of)
    _give_own_access(as_of)
    say(f"{waits.make(datetime.combine(as_of, RECEIVED, LONDON))} things asked of services")
    connection.close()
    said = {"password": PASSWORD, "users": _users_in_words(as_of), "built": built}
    (data / "demo.json").write_bytes(orjson.dumps(said))
    (data / "demo.building").unlink()
    del os.environ["JOINERY_BUILDING_DEMO"]


def _arrange_place(manifest: Manifest, as_of: date) -> None:
    """Take the directory's files, add the people who sign in, and begin a proposal."""
    from joinery.apps.base.action import Actor
    from joinery.apps.base.actions import add_user
    from joinery.apps.place import actions
    from joinery.site.demo.build import POSTCODES

    at = datetime.combine(as_of - timedelta(days=2), time(9), LONDON)
    common: dict[str, Any] = {"actor": Actor.system("demo"), "at": at}
    setup.take_definitions(demo=True, **common)
    actions.take_directory_file(path=manifest.folder / POSTCODES, **common)
    actions.set_home(code=HOME, **common)
    for user in USERS:
        user_id = add_user(email=user["email"], name=user["name"], password=PASSWORD, **common)
        since = user.get("since", at.date() - IN_POST)
        post = {"organisation_code": user["organisation"], "role": user["role"], "from_date": since}
        actions.add_membership(user_id=user_id, **post, **common)
    proposal = actions.propose(title="One neighbourhood on the shore, and Hollin Vale to Wexcombe", **common)
    common["edition_id"] = proposal
    shore = actions.OrganisationDetails("ZN04", "Shore neighbourhood", "neighbourhood")
    actions.merge(codes=["ZN01", "ZN02"], into=shore, on=date(as_of.year + 1, 4, 1), **common)
    actions.move(
        code="E07999001", from_code="E10999001", to_code="999", on=date(as_of.year + 2, 4, 1),
        terms=actions.Terms("order", "novated"), **common,
    )  # fmt: skip


def _take(manifest: Manifest, as_of: date) -> dict[str, Any]:
    """Take every file the way `joinery take` does; the answer of `--json`."""
    from joinery.apps.base.action import Actor
    from joinery.site.commands.take import COUNTS
    from joinery.site.taking import take

    totals = dict.fromkeys(COUNTS, 0)
    number = 0
    for sent in manifest.submissions:
        taken = take(
            path=sent.path,
            feed=sent.feed,
            sender=sent.organisation,
            actor=Actor.system("demo"),
            at=datetime.combine(sent.day, RECEIVED, LONDON),
        )
        number += 1
        totals = {name: totals[name] + asdict(taken)[name] for name in COUNTS}
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{number} files taken, {totals['rows']:,} rows")
    say(f"{number} files taken, {totals['rows']:,} rows: {totals['quarantined']:,} quarantined")
    return {"people": manifest.people, "as_of": str(as_of), "files": number} | totals


def _give_own_access(as_of: date) -> None:
    """Let Mrs Smith and her son see her record, as their surgery does."""
    from joinery.apps.base.action import Actor
    from joinery.apps.base.actions import add_user
    from joinery.apps.base.facts import user_with_email
    from joinery.apps.place.facts import standing
    from joinery.apps.record.actions import Criteria, give_own_access, search_people

    gp = user_with_email(USERS[0]["email"])
    assert gp is not None
    common: dict[str, Any] = {"actor": Actor.user(gp), "at": datetime.combine(as_of, RECEIVED, LONDON)}
    posts = standing(gp, as_of).posts
    (person_id,) = search_people(criteria=Criteria(PERSON_NUMBER), posts=posts, **common).viewing.person_ids
    for user in OWN:
        user_id = add_user(email=user["email"], name=user["name"], password=PASSWORD, **common)
        give_own_access(person_id=person_id, user_id=user_id, kind=user["kind"], from_date=as_of, **common)


def _users_in_words(as_of: date) -> list[dict[str, str]]:
    from joinery.apps.place.facts import organisation_names
    from joinery.calc.access import ROLES

    names = organisation_names({user["organisation"] for user in USERS}, as_of)
    staff = [
        {"name": u["name"], "email": u["email"], "role": ROLES[u["role"]], "organisation": names[u["organisation"]]}
        for u in USERS
    ]
    return staff + [{"name": u["name"], "email": u["email"], "role": u["role"], "organisation": ""} for u in OWN]


def _tell(answer: dict[str, Any]) -> None:
    """Who can sign in as whom."""
    say("\nWho can log in (the password is the same for all):\n")
    for user in answer["users"]:
        say(f"  {user['email']:<22} {user['name']}, {', '.join(filter(None, (user['role'], user['organisation'])))}")
    say(f"\n  password: {answer['password']}")
    say("\nTry: find Smith, born 3 March 1941 (NHS number 999 000 1111).")
