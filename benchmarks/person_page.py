"""The page of a person with 100,000 entries from three sources, opened by a GP.

Prints the database's time for the newest 20 lines, the statements of a page, and the CPU time of a page
in process, with and without the decision on access and the entry in the access log.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.measure import cpu_seconds, deployment

NUMBER = "9990004714"
SOURCES = (("ZA1", "gp_practice", "health"), ("ZT1", "community_trust", "health"), ("998", "council", "social_care"))
# Found by Django for every page, and the same for each.
ASIDE = ("django_session", "base_user", "SAVEPOINT")
COLUMNS = (
    *("record_id", "item_id", "version_id", "submission_id", "at", "precision"),
    *("kind", "title", "detail", "banner", "sensitivity"),
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--entries", type=int, default=100_000)
    options.add_argument("--pages", type=int, default=50)
    chosen = options.parse_args()
    with deployment() as folder:
        print(json.dumps(open_pages(*long_record(folder, chosen.entries), chosen.pages)))


def open_pages(client: Any, address: str, pages: int) -> dict[str, float]:
    """Medians over `pages` pages; pages with and without access and log take turns."""
    from joinery.apps.record import actions

    viewings: list[Any] = []
    decide = actions.open_record

    def keep(**asked: Any) -> Any:
        viewings.append(decide(**asked))
        return viewings[-1]

    with mock.patch.object(actions, "open_record", keep):
        _open(client, address)
    milliseconds, statements, whole, bare = [], [], [], []
    for _ in range(pages):
        with _statements() as ran:
            _open(client, address)
        statements.append(sum(1 for sql, _ in ran if not any(word in sql for word in ASIDE)))
        milliseconds += [1000 * seconds for sql, seconds in ran if "ORDER BY e.at DESC, e.id DESC LIMIT" in sql]
        whole.append(_cpu_ms(client, address))
        with mock.patch.object(actions, "open_record", lambda **_: viewings[0]):
            bare.append(_cpu_ms(client, address))
    if len(milliseconds) != pages:
        raise SystemExit("the statement that reads the newest lines was not recognised")
    return {
        "newest_20_ms": statistics.median(milliseconds),
        "statements": max(statements),
        "page_cpu_ms": statistics.median(whole),
        "page_cpu_ms_without_access": statistics.median(bare),
    }


def _cpu_ms(client: Any, address: str) -> float:
    before = cpu_seconds()
    _open(client, address)
    return 1000 * (cpu_seconds() - before)


def _open(client: Any, address: str) -> None:
    answer = client.get(address)
    lines = answer.content.decode().count('<li class="app-line ')
    if answer.status_code != 200 or lines != 20:
        raise SystemExit(f"the page has status {answer.status_code} and {lines} lines")


@contextmanager
def _statements() -> Iterator[list[tuple[str, float]]]:
    """Every statement that runs inside, with its time in the database in seconds."""
    from django.db import connection

    ran: list[tuple[str, float]] = []

    def run(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, *rest)
        finally:
            ran.append((sql, time.perf_counter() - started))

    with connection.execute_wrapper(run):
        yield ran


def long_record(folder: Path, entries: int) -> tuple[Any, str]:
    """A GP's client, and the address of a person of whom three sources know `entries` things."""
    from django.test import Client

    from joinery.apps.base.action import Actor
    from joinery.apps.base.actions import add_user
    from joinery.apps.base.columns import select
    from joinery.apps.base.models import User
    from joinery.apps.place.actions import OrganisationDetails, add_membership, register_organisation
    from joinery.apps.record.actions import take_file

    by: dict[str, Any] = {"actor": Actor.system("benchmark"), "at": datetime.now(UTC) - timedelta(hours=1)}
    for code, kind, sector in SOURCES:
        register_organisation(details=OrganisationDetails(code, code, kind), **by)
        take_file(path=_person(folder, sector), feed=_feed(sector), organisation_code=code, **by)
    for position, record in enumerate(select("SELECT id, source_id FROM record_sourcerecord ORDER BY id")):
        _fill(*record, position, entries // len(SOURCES))
    user_id = add_user(email="gp@bench.example", name="Asha Rao", password=None, **by)
    add_membership(user_id=user_id, organisation_code="ZA1", role="gp", from_date=by["at"].date(), **by)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get(pk=user_id), "allauth.account.auth_backends.AuthenticationBackend")
    ((person_id,),) = select("SELECT id FROM record_person")
    return client, f"/people/{person_id}/"


def _feed(sector: str) -> str:
    return "fhir" if sector == "health" else "council"


def _person(folder: Path, sector: str) -> Path:
    """One file about the person, as a source of this sector sends it."""
    if sector == "health":
        name = {"family": "Long", "given": ["Ada"]}
        identifier = {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": NUMBER}
        patient = {"resourceType": "Patient", "id": "p1", "identifier": [identifier], "name": [name]}
        path = folder / "patient.json"
        path.write_text(json.dumps(patient | {"birthDate": "1944-02-09"}))
        return path
    path = folder / "person.csv"
    path.write_text(
        "person_id,nhs_number,family_name,given_names,birth_date,source_id,updated_at,deleted\n"
        f"p1,{NUMBER},Long,Ada,1944-02-09,council,2026-02-01T09:00:00Z,0\n"
    )
    return path


def _fill(record_id: int, source_id: int, position: int, count: int) -> None:
    """Entries of one source, dated in another order than that of their intake."""
    from django.db import transaction

    from joinery.apps.base.columns import insert_rows, reserve_ids, select, stored
    from joinery.apps.record.models import Entry, Item, ItemVersion

    ((submission,),) = select("SELECT MAX(id) FROM record_submission WHERE source_id = %s", [source_id])
    with transaction.atomic():
        items, versions = reserve_ids(Item, count), reserve_ids(ItemVersion, count)
        insert_rows(Item, ("id", "source_id", "key"), [(i, source_id, f"Visit/{i}") for i in items])
        insert_rows(
            ItemVersion,
            ("id", "item_id", "submission_id", "number", "digest", "late", "body"),
            [(v, i, submission, 1, b"0", False, b"{}") for v, i in zip(versions, items, strict=True)],
        )
        rows = []
        for n, (version, item) in enumerate(zip(versions, items, strict=True)):
            at = stored(datetime(2026, 11, 1, 9, tzinfo=UTC) - timedelta(minutes=n * 7919 % count * 3 + position))
            about = (record_id, item, version, submission, at, "minute")
            rows.append((*about, "Visit", f"Visit {n % 50}", "", "" if n % 20_000 else "alert", ""))
        insert_rows(Entry, COLUMNS, rows)


if __name__ == "__main__":
    main()
