"""Uploading small files of figures, as the tests of series do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from joinery.apps.base.action import Actor
from joinery.apps.measures.actions import Layout, Taken, Wanted, upload_series
from joinery.apps.measures.facts import SeriesPage, series_named, series_page
from joinery.apps.place import facts as place
from joinery.apps.place.actions import OrganisationDetails, register_organisation

ACTOR = Actor.system("tests")
AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
BY = {"actor": ACTOR, "at": AT}


def register(*codes: str, form: str = "nhs_trust", **options: Any) -> None:
    for code in codes:
        register_organisation(details=trust(code, form), **BY, **options)


def trust(code: str, form: str = "nhs_trust") -> OrganisationDetails:
    return OrganisationDetails(code, f"Trust {code}", form)


def write(path: Path, *rows: Iterable[object], header: str = "organisation,period,value") -> Path:
    lines = [header, *(",".join(map(str, row)) for row in rows)]
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def monthly(path: Path, **figures: Sequence[object]) -> Path:
    """Figures of each body by month, from January 2020 on; None is left out."""
    rows = [(code, f"2020-{n:02d}", each) for code, all_ in figures.items() for n, each in enumerate(all_, start=1)]
    return write(path, *(row for row in rows if row[2] is not None))


def upload(
    path: Path, *wanted: Wanted, unit: str = "", kind: str = "", at: datetime = AT, **layout: Any
) -> Taken:  # fmt: skip
    """Upload a file; the series is called Visits where no other is wanted."""
    return upload_series(
        path=path, layout=Layout(wanted or (Wanted("Visits"),), **layout), unit=unit, kind=kind, actor=ACTOR, at=at
    )


def four(taken: Taken) -> tuple[int, int, int, int]:
    """The four counts, which add up to the rows."""
    counts = (taken.taken, taken.unchanged, taken.superseded, taken.quarantined)
    assert sum(counts) == taken.rows
    return counts


def page(code: str, name: str = "Visits", on: date = AT.date(), draft: int | None = None) -> SeriesPage:
    series = series_named(name)
    assert series is not None
    found = series_page(series.id, code, place.as_at(on, draft=draft))
    assert found is not None
    return found


def values(code: str, name: str = "Visits", on: date = AT.date(), draft: int | None = None) -> dict[str, float | None]:
    """A body's series on a day, by period."""
    return {point.period: point.value for point in page(code, name, on, draft).points}
