"""The register of the Care Quality Commission: locations, their providers, and the doors they stand at.

A change of owner makes a new location at the same premises, so the premises carry the UPRN or the address
and the location only points to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import msgspec

from joinery.apps.base.tables import Table, day_of, plain
from joinery.apps.place.kinds import EARLIEST, FORMS, Row, Saying
from joinery.apps.place.sources.reading import CQC_CODE, ODS_CODE, Opened, day_after, premises, row_of, stated_day
from joinery.definitions import parsed

NONE = ("", "-", "null", "n/a")
NOT_RATED = ("not rated", "no published rating", "not formally rated", "inspected but not rated")


class File(msgspec.Struct, frozen=True):
    """One kind of file: what it is called, and the columns without which it is not that."""

    source: str
    mode: Literal["history", "snapshot"]
    title: str
    needs: list[str]


class Definition(msgspec.Struct, frozen=True):
    """`definitions/directory/cqc.toml`."""

    columns: dict[str, list[str]]
    file: list[File]
    category: dict[str, str]
    type: dict[str, str]
    services: dict[str, str]


@cache
def definition() -> Definition:
    """The definition as it ships."""
    text = files("joinery.definitions").joinpath("directory/cqc.toml").read_text("utf-8")
    return parsed(text, Definition)


@cache
def _fields() -> dict[str, str]:
    return {plain(name): field for field, names in definition().columns.items() for name in names}


def columns_of(header: list[str]) -> dict[str, int]:
    """Field to index, for a header in plain names."""
    return {_fields()[name]: index for index, name in reversed(list(enumerate(header))) if name in _fields()}


def file_of(header: list[str]) -> File | None:
    """Which file of CQC has this header, if any."""
    known = columns_of(header).keys()
    return next((each for each in definition().file if known >= set(each.needs)), None)


def is_ratings(header: list[str]) -> bool:
    """Whether it is CQC's file of ratings, which has several rows a location."""
    return {"location", "domain"} <= columns_of(header).keys()


def nearest(header: list[str]) -> tuple[str, list[str]] | None:
    """The file of CQC that the header looks most like, and the names of the columns that it lacks."""
    known = columns_of(header).keys()
    best = max(definition().file, key=lambda each: len(known & set(each.needs)) / len(each.needs))
    if len(known & set(best.needs)) < 2:
        return None
    return best.title, [definition().columns[field][0] for field in best.needs if field not in known]


def open_register(table: Table, file: File, header: list[str], skip: int, preamble: str) -> Opened:
    """Open a file whose header is the record number `skip`; its day is in the preamble, or in its name."""
    on = (stated_day(preamble) or stated_day(table.path.stem)) if file.mode == "snapshot" else None
    rows = _rows(table, columns_of(header), len(header), skip)
    return Opened(file.source, file.mode, file.title, on=on, rows=rows, note=table.note)


def _rows(table: Table, places: dict[str, int], columns: int, skip: int) -> Iterator[Row]:
    providers: set[str] = set()
    for position, body, cells, wrong in table.data(columns, skip):
        if wrong:
            yield row_of(position, body, (), (f"Row {position} {wrong}",))
            continue
        row = {field: cells[index].strip() for field, index in places.items()}
        row = {field: "" if cell.lower() in NONE else cell for field, cell in row.items()}
        issues = [f"Row {position}: {issue}" for issue in _issues(row)]
        made = row_of(position, body, () if issues else list(_sayings(row, row["provider"] not in providers)), issues)
        if not made.issues:
            providers.add(row["provider"])
        yield made


def _issues(row: dict[str, str]) -> Iterator[str]:
    for field, what in (("location", "Location ID"), ("provider", "Provider ID")):
        if not CQC_CODE.fullmatch(row[field]):
            yield f"{row[field][:40]!r} is not a CQC {what}. Get the file again."
    if not row["name"]:
        yield "the name is empty. Get the file again."
    if "end" in row and not row["end"]:
        yield "there is no end date, though the location is de-activated. Get the file again."
    for field in ("start", "end", "provider_start"):
        if row.get(field) and day_of(row[field]) is None:
            yield f"{row[field][:40]!r} is not a date ({field}). Write it as 31/03/2026."
    if row.get("beds") and _beds(row) is None:
        yield f"{row['beds'][:40]!r} is not a number of beds."
    if row.get("care_home", "N").upper() not in ("Y", "N", ""):
        yield f"Care home? is {row['care_home'][:40]!r}. It must be Y or N."
    if row.get("ods") and not ODS_CODE.fullmatch(row["ods"].upper()):
        yield f"{row['ods'][:40]!r} is not an ODS code."


def _beds(row: dict[str, str]) -> int | None:
    text = row["beds"].removesuffix(".0").replace(",", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _sayings(row: dict[str, str], new_provider: bool) -> Iterator[Saying]:
    location, provider = row["location"], row["provider"]
    since = day_of(row["start"]) if row.get("start") else None
    until = day_after(day_of(row["end"])) if row.get("end") else None
    # What holds today is said without a date; of a location that has ended, all is said for all its life.
    day: date = (since or EARLIEST) if until else EARLIEST

    def said(kind: str, value: str = "", target: str = "", detail: Mapping[str, Any] | None = None) -> Saying:
        return Saying(location, kind, value, target, from_date=day, to_date=until, detail=detail or {})

    dormant = {"dormant": True} if row.get("dormant", "").upper() == "Y" else {}
    yield Saying(location, "open", from_date=since or EARLIEST, to_date=until, detail=dormant)
    yield said("name", row["name"])
    form = _form(row)
    yield said("form", form)
    yield said("care_home", "yes" if form == "care_home" else "no")
    brand = {"brand": row["brand"]} if row.get("brand") else {}
    if provider != location:
        yield said("operated_by", target=provider, detail=brand)
    at = premises(location, _address(row), row.get("postcode", ""), row.get("uprn", ""))
    if at:
        yield said("premises", at.value, detail=at.detail)
    if row.get("beds"):
        yield said("beds", str(_beds(row)))
    if row.get("rating") and row["rating"].lower() not in NOT_RATED:
        published = day_of(row["rated"]) if row.get("rated") else None
        yield said("rating", row["rating"], detail={"published": published.isoformat()} if published else {})
    if row.get("ods") and row["ods"].upper() != location:
        yield said("code", f"ods:{row['ods'].upper()}")
    # An NHS provider has its ODS code here, and ODS says its name and form with more right.
    if new_provider and provider.startswith("1-"):
        yield from _provider(row, FORMS[form].sector)


def _provider(row: dict[str, str], sector: str) -> Iterator[Saying]:
    provider, since = row["provider"], row.get("provider_start", "")
    if not row.get("end"):
        yield Saying(provider, "open", from_date=day_of(since) or EARLIEST)
    if row.get("provider_name"):
        yield Saying(provider, "name", row["provider_name"])
    yield Saying(provider, "form", "care_provider" if sector == "social_care" else "health_service")


def _address(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(row.get(part, "") for part in ("address", "street", "line_2", "city", "county"))


def _form(row: dict[str, str]) -> str:
    """What the location is. A location may have many services; a care home is one whatever else it does."""
    if row.get("care_home", "").upper() == "Y":
        return "care_home"
    if row.get("services"):
        forms = definition().services
        services = [service.strip() for service in row["services"].split("|")]
        return next((form for service, form in forms.items() if service in services), "health_service")
    form = definition().category.get(row.get("category", "")) or definition().type.get(row.get("type", ""))
    if form in ("social_care_site", None) and row.get("home_care", "").upper() == "Y":
        return "home_care"
    return form or "health_service"
