"""What waits for a nurse to whose service 2,000 people are referred, in a place where five times as many wait.

Prints the CPU time of working it out in process, and its SQL statements: whose each is, by when, and who else holds it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.measure import deployment

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
SERVICES, STAFF_EACH = 40, 5
BODIES = ("ZT1", "ZT2", "998")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--items", type=int, default=2_000)
    options.add_argument("--rounds", type=int, default=20)
    chosen = options.parse_args()
    with deployment():
        print(json.dumps(read_work(made_place(chosen.items), chosen.items, chosen.rounds)))


def read_work(user_id: int, items: int, rounds: int) -> dict[str, float]:
    """The median over the rounds; raises SystemExit when not every item is found."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from joinery.apps.care import facts

    milliseconds = []
    for _ in range(rounds):
        started = time.process_time()
        work = facts.my_work(user_id, NOW)
        milliseconds.append(1000 * (time.process_time() - started))
    if work.waiting != items:
        raise SystemExit(f"{work.waiting} of {items} items were found")
    with CaptureQueriesContext(connection) as ran:
        facts.my_work(user_id, NOW)
    return {"work_ms": statistics.median(milliseconds), "statements": len(ran), "items": work.waiting}


def made_place(items: int) -> int:
    """Services with staff, the first with so many referrals and the others together with four times as many;
    returns a nurse of the first."""
    from joinery.apps.base.action import Actor
    from joinery.apps.base.actions import add_user
    from joinery.apps.care import actions
    from joinery.apps.place.actions import OrganisationDetails, add_membership, register_organisation

    since = NOW - timedelta(days=60)
    by: dict[str, Any] = {"actor": Actor.system("benchmark"), "at": since}
    for code in BODIES:
        register_organisation(details=OrganisationDetails(code, code, "community_trust"), **by)
    nurses = []
    for service in range(SERVICES):
        code, body = f"service-{service}", BODIES[service % len(BODIES)]
        actions.offer_service(code=code, organisation=body, kind="district_nursing", name=code, **by)
        for member in range(STAFF_EACH):
            name = f"Nurse {service} {member}"
            user_id = add_user(email=f"n{service}.{member}@bench.example", name=name, password=None, **by)
            add_membership(
                user_id=user_id, organisation_code=body, role="community_nurse", from_date=since.date(), **by
            )
            actions.add_member(service=code, user_id=user_id, organisation=body, manages=member == 0, **by)
            nurses.append(user_id)
    _refer(items, nurses)
    return nurses[1]


def _refer(items: int, nurses: list[int]) -> None:
    """Referrals in several states, some overdue and some taken on by name, each of another person."""
    from django.db import transaction

    from joinery.apps.base.columns import insert_rows, reserve_ids, select, stored
    from joinery.apps.care.models import OpenReferral, Referral, ReferralStep

    services = [row[0] for row in select("SELECT id FROM care_service ORDER BY id")]
    bodies = [row[0] for row in select("SELECT id FROM place_organisation ORDER BY id")]
    states = ("sent", "acknowledged", "accepted", "started")
    with transaction.atomic():
        records = _people(5 * items)
        ids = reserve_ids(Referral, 5 * items)
        referrals, steps, where = [], [], []
        for n, (number, record) in enumerate(zip(ids, records, strict=True)):
            service = 0 if n < items else 1 + n % (SERVICES - 1)
            asked, due = (stored(NOW + timedelta(minutes=m)) for m in (-n % 50_000, n * 7919 % 40_000 - 8_000))
            user = nurses[service * STAFF_EACH + 1] if n % 3 == 0 else None
            state = states[n % len(states)]
            sender = nurses[n * 31 % len(nurses)] if service else nurses[-1]
            referrals.append(
                (number, f"{n:032x}", record, sender, bodies[n % 3], "routine", "Help", "", "", asked, asked)
            )
            steps.append((number, 1, state, services[service], user, "", "", due, "benchmark", asked))
            where.append((number, 1, state, services[service], user, asked, due))
        columns = ("urgency", "reason", "words", "area", "asked_at", "at")
        insert_rows(Referral, ("id", "code", "record_id", "user_id", "organisation_id", *columns), referrals)
        step = ("referral_id", "number", "state", "service_id", "user_id")
        insert_rows(ReferralStep, (*step, "reason", "words", "due_at", "by", "at"), steps)
        insert_rows(OpenReferral, (*step, "since_at", "due_at"), where)


def _people(count: int) -> range:
    """The founding records of so many people."""
    from joinery.apps.base.columns import insert_rows, reserve_ids, stored
    from joinery.apps.place.models import Organisation
    from joinery.apps.record.models import Link, Person, Source, SourceRecord, Submission

    at = NOW - timedelta(days=60)
    source = Source.objects.create(organisation=Organisation.objects.get(code=BODIES[0]), feed="fhir")
    submission = Submission.objects.create(source=source, received_at=at, published_at=at)
    people = [f"{n:020x}" for n in range(count)]
    records = reserve_ids(SourceRecord, count)
    insert_rows(Person, ("id",), [(person,) for person in people])
    insert_rows(
        SourceRecord, ("id", "source_id", "local_id"),
        [(record, source.pk, person) for record, person in zip(records, people, strict=True)],
    )  # fmt: skip
    more = (submission.pk, stored(at), "first record")
    insert_rows(
        Link, ("record_id", "person_id", "submission_id", "at", "reason"),
        [(record, person, *more) for record, person in zip(records, people, strict=True)],
    )  # fmt: skip
    return records


if __name__ == "__main__":
    main()
