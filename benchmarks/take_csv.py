"""Intake of a council's service.csv: 200,000 rows of made-up services for 2,000 made-up people."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks.measure import cpu_seconds, deployment

ROWS_A_PERSON = 100
COMMON = {"source_id": "council", "updated_at": "2026-11-20T02:00:00Z", "deleted": "0"}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=200_000)
    chosen = options.parse_args()
    with deployment() as folder:
        print(json.dumps(take(folder, chosen.rows)))


def take(folder: Path, rows: int) -> dict[str, float]:
    """Take person.csv, then service.csv, of which the `rows` and the `cpu_s` are told."""
    from joinery.apps.base.action import Actor
    from joinery.apps.place.actions import OrganisationDetails, register_organisation
    from joinery.apps.record.actions import take_file
    from joinery.site.commands.take import spare_collector

    actor, at = Actor.system("benchmark"), datetime.now(UTC)
    sender = OrganisationDetails("BENCH", "Sender", "council")
    register_organisation(details=sender, actor=actor, at=at)
    people = [person(n) for n in range(rows // ROWS_A_PERSON + 1)]
    files = [write(folder / "person.csv", people), write(folder / "service.csv", map(service, range(rows)))]
    spare_collector()
    for file in files:
        before = cpu_seconds()
        taken = take_file(path=file, feed="council", organisation_code="BENCH", actor=actor, at=at)
        cpu = cpu_seconds() - before
        if taken.taken != taken.rows:
            raise SystemExit(f"not every row was taken: {taken}")
    return {"rows": taken.rows, "cpu_s": cpu}


def person(n: int) -> dict[str, str]:
    born = date(1930, 1, 1) + timedelta(days=n * 7 % 20_000)
    return {"person_id": f"P{n}", "family_name": f"Family{n}", "given_names": "Ann", "birth_date": str(born)}


def service(n: int) -> dict[str, str]:
    """One row as wide as a council sends it: half of the services have ended, one in ten was paused."""
    start = date(2024, 1, 1) + timedelta(days=n * 13 % 900)
    ended, paused = n % 2 == 0, n % 10 == 1
    return {
        "service_id": f"S{n}",
        "person_id": f"P{n // ROWS_A_PERSON}",
        "package_id": f"K{n // 3}",
        "type": ("Home care", "Day care", "Reablement", "Residential care")[n % 4],
        "component": "Personal care",
        "delivery_mechanism": "managed",
        "provider_name": f"Provider {n % 40}",
        "provider_cqc_location_id": f"1-{n % 40:09}",
        "planned_start": str(start),
        "start_date": str(start),
        "end_date": str(start + timedelta(days=60)) if ended else "",
        "end_reason": "Needs met" if ended else "",
        "units_per_week": f"{7 + n % 21}.50",
        "unit": "hours",
        "schedule_text": "Each morning, and Tuesday evening",
        "suspended_from": str(start + timedelta(days=20)) if paused else "",
        "suspended_to": str(start + timedelta(days=27)) if paused else "",
        "suspended_reason": "In hospital" if paused else "",
        "funding": "council",
    }


def write(path: Path, rows: Iterable[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = None
        for row in rows:
            if writer is None:
                writer = csv.DictWriter(file, [*row, *COMMON])
                writer.writeheader()
            writer.writerow(row | COMMON)
    return path


if __name__ == "__main__":
    main()
