"""Many who work on the same referrals at once: nobody's step is lost, and none is left in no one's hands.

Writers in four processes refer, take steps and give referrals to each other, mostly the very same ones, and keep what
each was answered. Then every answer is looked for in the database. On SQLite;
with --database on an empty database of PostgreSQL.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from benchmarks.measure import ROOT, deployment

SERVICES = ("writers-nurses", "writers-therapy", "writers-reablement")
BODY = "ZT1"
MEMBERS = 4
PROCESSES = 4


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--writers", type=int, default=8)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--referrals", type=int, default=40, help="that they share from the beginning")
    options.add_argument("--database", default="", help="postgresql://... of an empty database")
    options.add_argument("--process", type=int, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.process is not None:
        print(json.dumps(_process(chosen.process, chosen.writers, chosen.seconds)))
        return
    with deployment(chosen.database):
        print(json.dumps(write_together(chosen.writers, chosen.seconds, chosen.referrals)))


def write_together(writers: int, seconds: float, referrals: int) -> dict[str, float]:
    """What came of it; raises SystemExit when a writer fails, or anything was lost."""
    record_id = _made_place(referrals)
    options = ["--writers", str(writers), "--seconds", str(seconds), "--process"]
    command = [sys.executable, "-m", "benchmarks.writers", *options]
    # Each finds the deployment by the environment, as `deployment` set it.
    each = [
        subprocess.Popen([*command, str(n)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for n in range(min(writers, PROCESSES))
    ]
    told, faults = [], ""
    for process in each:
        out, err = process.communicate()
        faults += err
        if process.returncode:
            raise SystemExit(f"a writer failed ({process.returncode}):\n{err[-2000:]}")
        told.append(json.loads(out.splitlines()[-1]))
    done = [tuple(step) for answer in told for step in answer["done"]]
    changed = sum(answer["changed"] for answer in told)
    lost, gaps, ownerless = _checked(done, record_id)
    failed = sum(answer["failed"] for answer in told)
    if lost or gaps or ownerless or failed:
        raise SystemExit(
            f"{lost} steps lost, {gaps} gaps, {ownerless} in no one's hands, {failed} acts failed\n{faults[-2000:]}"
        )
    return {
        "writers": writers, "done": len(done), "refused_as_changed": changed,
        "turned_away": sum(answer["away"] for answer in told), "lost": lost, "gaps": gaps,
        "ownerless": ownerless, "failed": failed,
        "a_second": len(done) / seconds, "longest_ms": max(answer["longest_ms"] for answer in told),
    }  # fmt: skip


def _checked(done: list[tuple[str, int, str]], record_id: int) -> tuple[int, int, int]:
    """Steps that somebody was told were taken and that are not there as they took them; referrals whose steps are not
    counted through, or whose last is not where they stand; and those that nobody holds."""
    from joinery.apps.base.columns import select
    from joinery.apps.care import facts
    from joinery.apps.care.states import STATES

    kept: dict[str, list[tuple[int, str, str]]] = {}
    for code, number, state, by in select(
        "SELECT r.code, s.number, s.state, s.by FROM care_referral r JOIN care_referralstep s ON s.referral_id = r.id "
        "WHERE r.record_id = %s ORDER BY r.id, s.number",
        [record_id],
    ):
        kept.setdefault(code, []).append((number, state, by))
    there = {(code, number, by) for code, steps in kept.items() for number, _, by in steps}
    lost = sum(step not in there for step in done) + len(done) - len(set(done))
    gaps = sum([number for number, _, _ in steps] != list(range(1, len(steps) + 1)) for steps in kept.values())
    where = dict(
        select("SELECT r.code, o.number FROM care_openreferral o JOIN care_referral r ON r.id = o.referral_id")
    )
    ownerless, now = 0, datetime.now(UTC)
    for code, steps in kept.items():
        number, state, _ = steps[-1]
        waits = bool(STATES[state].waits_for)
        gaps += where.get(code) != (number if waits else None)
        found = facts.referral(code, now)
        ownerless += waits and not (found and found.owners and found.due_at and found.next_step)
    return lost, gaps, ownerless


def _process(number: int, writers: int, seconds: float) -> dict[str, Any]:
    """The writers of one process together: what they were told was done, and how often somebody had been first."""
    from joinery.site import setup

    setup.load()
    # The first act loads what every act needs, before the clock starts.
    told = [_writer(-1 - number, 0)]
    with ThreadPoolExecutor(writers) as pool:
        told += pool.map(lambda seed: _writer(seed, seconds), range(number, writers, PROCESSES))
    return {
        "done": [step for each in told for step in each["done"]],
        "changed": sum(each["changed"] for each in told),
        "away": sum(each["away"] for each in told),
        "failed": sum(each["failed"] for each in told),
        "longest_ms": max(each["longest_ms"] for each in told[1:]),
    }


def _writer(seed: int, seconds: float) -> dict[str, Any]:
    """One writer, who acts at least once."""
    from django.db import OperationalError, connection

    from joinery.apps.base.action import Refused
    from joinery.apps.base.columns import select

    chance = random.Random(seed)
    ((record_id,),) = select("SELECT MIN(id) FROM record_sourcerecord")
    users = [row[0] for row in select("SELECT user_id FROM care_servicemember ORDER BY id")]
    done: list[tuple[str, int, str]] = []
    changed = turned_away = failed = 0
    longest, until = 0.0, time.monotonic() + seconds
    started = time.monotonic()
    while not done or started < until:
        try:
            done.append(_act(chance, record_id, chance.choice(users)))
        except Refused as refused:
            changed += refused.code == "changed"
        except OperationalError as error:  # SQLite was busy for too long: nothing was done, and they were told so
            turned_away += 1
            sys.stderr.write(f"{error!r}\n")
        except Exception as error:  # what a page would have shown as a fault
            sys.stderr.write(f"{error!r}\n")
            failed += 1
        longest, started = max(longest, time.monotonic() - started), time.monotonic()
    connection.close()
    return {"done": done, "changed": changed, "away": turned_away, "failed": failed, "longest_ms": 1000 * longest}


def _act(chance: random.Random, record_id: int, user: int) -> tuple[str, int, str]:
    """Refer, or take some step of some open referral; returns its code, the number of the step, and who took it."""
    from joinery.apps.base.action import Actor, Refused
    from joinery.apps.base.columns import select
    from joinery.apps.care import actions, facts
    from joinery.apps.care.states import STEPS

    actor, at = Actor.user(user), datetime.now(UTC)
    codes = [row[0] for row in select(
        "SELECT r.code FROM care_openreferral o JOIN care_referral r ON r.id = o.referral_id ORDER BY r.id DESC LIMIT 8"
    )]  # fmt: skip
    if not codes or chance.random() < 0.1:
        code = actions.refer(
            record_id=record_id, service=chance.choice(SERVICES), urgency="today", reason="Help",
            words=f"Asked {uuid4().hex}", organisation=BODY, actor=actor, at=at,
        )  # fmt: skip
        return code, 1, actor.name
    now = facts.referral(chance.choice(codes), at)
    if now is None or not now.waits_for:
        raise Refused("over", "over")
    by = chance.choice(now.owners).user_id
    actor = Actor.user(by)
    # As somebody who reads before they press.
    time.sleep(chance.random() * 0.02)
    if now.waits_for == "service" and chance.random() < 0.2:
        named = chance.choice(sorted(now.service_ids))
        actions.name_owner(code=now.code, number=now.number, user_id=named, actor=actor, at=at)
        return now.code, now.number + 1, actor.name
    to = chance.choice(sorted(to for state, to in STEPS if state == now.state))
    reasons = facts.rules(at.date()).reasons.get(to, {})
    actions.take_step(
        code=now.code, number=now.number, to=to, reason=next(iter(reasons), ""), words="So",
        service=chance.choice(SERVICES) if to == "sent" else "", actor=actor, at=at,
    )  # fmt: skip
    return now.code, now.number + 1, actor.name


def _made_place(referrals: int) -> int:
    """A body with three services, staff of each, and a person with so many referrals; returns their record."""
    from joinery.apps.base.action import Actor
    from joinery.apps.base.actions import add_user
    from joinery.apps.care import actions
    from joinery.apps.place.actions import OrganisationDetails, add_membership, register_organisation
    from joinery.apps.place.models import Organisation
    from joinery.apps.record.models import Details, Link, Person, Source, SourceRecord, Submission

    at = datetime.now(UTC) - timedelta(days=1)
    by: dict[str, Any] = {"actor": Actor.system("benchmark"), "at": at}
    register_organisation(details=OrganisationDetails(BODY, "Vale Community", "community_trust"), **by)
    users = []
    for code in SERVICES:
        actions.offer_service(code=code, organisation=BODY, kind="district_nursing", name=code, **by)
        for n in range(MEMBERS):
            user_id = add_user(email=f"{code}.{n}@bench.example", name=f"{code} {n}", password=None, **by)
            add_membership(user_id=user_id, organisation_code=BODY, role="community_nurse", from_date=at.date(), **by)
            actions.add_member(service=code, user_id=user_id, organisation=BODY, manages=n == 0, **by)
            users.append(user_id)
    source = Source.objects.create(organisation=Organisation.objects.get(code=BODY), feed="fhir")
    submission = Submission.objects.create(source=source, received_at=at, published_at=at)
    record = SourceRecord.objects.create(source=source, local_id="p1")
    Person.objects.create(id="p1")
    Link.objects.create(record=record, person_id="p1", submission=submission, at=at, reason="first record")
    Details.objects.create(record=record, submission=submission, family_key="LONG", given_key="ADA")
    for n in range(referrals):
        actions.refer(
            record_id=record.pk, service=SERVICES[n % len(SERVICES)], urgency="today", reason="Help",
            words=f"Asked {n}", organisation=BODY, actor=Actor.user(users[n % len(users)]), at=at,
        )  # fmt: skip
    return int(record.pk)


if __name__ == "__main__":
    main()
