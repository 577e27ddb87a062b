"""The CSV extracts of the NHS Organisation Data Service: one kind of body a file, and the successions.

The files have no header and do not say what they list; only their names do (etr.csv, epraccur.csv).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import chain, islice

from joinery.apps.base.tables import Table, UnreadableFile, day_of, plain
from joinery.apps.place.kinds import EARLIEST, Row, Saying
from joinery.apps.place.sources.ods_rules import Extract, rules
from joinery.apps.place.sources.reading import ODS_CODE, OF_TODAY, Opened, day_after, premises, row_of

CELLS = 27  # without a header
SUCCESSION_CELLS = 5
MOST_SUCCESSIONS = 500_000
_DAY = re.compile(r"[0-9]{8}")


def is_bare(first: list[list[str]]) -> bool:
    """Whether the first rows are those of an extract without a header."""
    return any(
        len(cells) == CELLS and ODS_CODE.fullmatch(cells[0].strip()) and _DAY.fullmatch(cells[10]) for cells in first
    )


def is_succession(first: list[list[str]]) -> bool:
    """Whether the first rows are those of the succession file: old code, new code, reason, day, mark."""
    return any(
        len(cells) == SUCCESSION_CELLS and ODS_CODE.fullmatch(cells[1].strip()) and _DAY.fullmatch(cells[3])
        for cells in first
    )


def is_headed(header: list[str]) -> bool:
    """Whether this is the header that somebody has put on an extract."""
    known = _places(header)
    return {"code", "name", "open", "close"} <= known.keys()


def _places(header: list[str]) -> dict[str, int]:
    return {
        field: index
        for field, column in rules().columns.items()
        for index, name in enumerate(header)
        if name in map(plain, column.names)
    }


def open_extract(table: Table, header: list[str] | None, skip: int) -> Opened:
    """Open an extract, with the header in plain names or without. Raises UnreadableFile for an unknown name."""
    stem = re.match(r"[a-z]*", table.path.stem.lower())
    word = stem[0] if stem else ""
    known = {extract.name: extract for extract in rules().extract}
    # The monthly amendments of an extract are named after it: etram, eccgam.
    extract = known.get(word) or known.get(word.removesuffix("am"))
    if extract is None:
        raise UnreadableFile(
            f"{table.path.name} is laid out like an extract of ODS, but only the name that ODS gave it tells what "
            f"it lists. Name it as ODS does; known are {', '.join(f'{name}.csv' for name in known)}. For any other "
            "kind of body give its records from the ODS ORD interface (JSON)."
        )
    places = _places(header) if header else {name: column.cell - 1 for name, column in rules().columns.items()}
    rows = _rows(table, extract, places, len(header) if header else CELLS, skip)
    return Opened(
        f"ods:{extract.name}", "history", f"ODS: {extract.title}", rows=rows, of_today=OF_TODAY, note=table.note
    )


def _rows(table: Table, extract: Extract, places: dict[str, int], columns: int, skip: int) -> Iterator[Row]:
    for position, body, cells, wrong in table.data(columns, skip):
        if wrong:
            yield row_of(position, body, (), (f"Row {position} {wrong}",))
            continue
        row = {field: cells[index].strip() for field, index in places.items()}
        issues = [f"Row {position}: {issue}" for issue in _issues(row, extract)]
        yield row_of(position, body, () if issues else list(_sayings(row, extract)), issues)


def _issues(row: dict[str, str], extract: Extract) -> Iterator[str]:
    if not ODS_CODE.fullmatch(row["code"]):
        yield f"{row['code'][:40]!r} is not an ODS code. Get the file again."
    if not row["name"]:
        yield "the name is empty. Get the file again."
    parent = row.get("parent", "") if extract.parent else ""
    if parent and not ODS_CODE.fullmatch(parent):
        yield f"the parent {parent[:40]!r} is not an ODS code. Get the file again."
    for field in ("open", "close", "joined", "left"):
        if row.get(field) and day_of(row[field]) is None:
            yield f"{row[field][:40]!r} is not a date ({field}). Write it as 20260331."


def _day(row: dict[str, str], field: str) -> date | None:
    return day_of(row[field]) if row.get(field) else None


def _sayings(row: dict[str, str], extract: Extract) -> Iterator[Saying]:
    code = row["code"]
    # The days are the first and the last on which the body was open.
    since, until = _day(row, "open") or EARLIEST, day_after(_day(row, "close"))
    yield Saying(code, "open", from_date=since, to_date=until)
    yield Saying(code, "name", row["name"], from_date=since)
    yield from _forms(row, extract, since, until)
    if extract.role:
        yield Saying(code, "role", extract.role, from_date=since, to_date=until, detail={"primary": True})
    at = premises(code, (row.get(f"address_{n}", "") for n in range(1, 6)), row.get("postcode", ""))
    if at:
        yield Saying(code, "premises", at.value, from_date=since, to_date=until, detail=at.detail)
    parent = row.get("parent", "")
    if extract.parent and parent and parent != code:
        joined, left = _day(row, "joined") or since, day_after(_day(row, "left")) or until
        yield Saying(code, extract.parent, target=parent, from_date=joined, to_date=left)


def _forms(row: dict[str, str], extract: Extract, since: date, until: date | None) -> Iterator[Saying]:
    """The form by the name's words, by the prescribing setting, or by the file alone."""
    code, name = row["code"], row["name"].upper()
    form = extract.setting.get(row.get("setting", ""), extract.form)
    rule = next((rule for rule in extract.when if rule.words in name), None)
    if rule is None:
        yield Saying(code, "form", form, from_date=since, to_date=until, certainty=extract.certainty)
        return
    change = max(since, rule.from_date or since)
    if since < change:
        yield Saying(code, "form", form, from_date=since, to_date=change)
    yield Saying(code, "form", rule.form, from_date=change, to_date=until)


def open_succession(table: Table) -> Opened:
    """Open the succession file."""
    # A history tells all of a body together, and this file is in no order.
    rows = list(islice(_successions(table), MOST_SUCCESSIONS + 1))
    if len(rows) > MOST_SUCCESSIONS:
        raise UnreadableFile(f"{table.path.name} has more than {MOST_SUCCESSIONS:,} successions. Split it by old code.")
    rows.sort(key=lambda row: (row.sayings[0].code if row.sayings else "", row.position))
    return Opened("ods:succ", "history", "ODS: successions", rows=iter(rows), note=table.note)


def _successions(table: Table) -> Iterator[Row]:
    for position, body, cells, wrong in table.data(SUCCESSION_CELLS, 0):
        if wrong:
            yield row_of(position, body, (), (f"Row {position} {wrong}",))
            continue
        old, new, reason, day = (cell.strip() for cell in cells[:4])
        bad = [f"{code[:40]!r} is not an ODS code. Get the file again." for code in (old, new) if _is_bad(code)]
        undated = [] if day_of(day) else [f"{day[:40]!r} is not a date. Write it as 20260331."]
        issues = [f"Row {position}: {issue}" for issue in chain(bad, undated)]
        words = rules().succession.reasons.get(reason, reason)
        said = Saying(old, "succeeded_by", target=new, from_date=day_of(day) or EARLIEST, detail={"note": words})
        yield row_of(position, body, () if issues else (said,), issues)


def _is_bad(code: str) -> bool:
    return ODS_CODE.fullmatch(code) is None
