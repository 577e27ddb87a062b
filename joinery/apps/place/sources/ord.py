"""Records of the NHS Organisation Data Service in the JSON of its ORD interface.

One record, a JSON array of them, or one a line (NDJSON). A record tells the whole dated life of its
body: roles, relations and successions have their own dates; the name and address are those of now.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import chain, pairwise
from pathlib import Path

import msgspec

from joinery.apps.base.tables import UnreadableFile
from joinery.apps.place.kinds import EARLIEST, KINDS, Row, Saying
from joinery.apps.place.sources.ods_rules import form_of
from joinery.apps.place.sources.reading import ODS_CODE, OF_TODAY, Opened, day_after, premises, row_of

# An array is read whole; larger deliveries come one record a line.
MOST_DOCUMENT_BYTES = 256 * 1024 * 1024
RELATIONS = {kind.ods: name for name, kind in KINDS.items() if kind.ods}
LAST_DAY = date.max

Period = tuple[date, date | None]


class _Dates(msgspec.Struct, rename={"type": "Type", "start": "Start", "end": "End"}):
    type: str
    start: date | None = None
    end: date | None = None


class _Id(msgspec.Struct):
    extension: str


class _Target(msgspec.Struct, rename={"org_id": "OrgId"}):
    org_id: _Id


class _Role(msgspec.Struct, rename={"dates": "Date", "primary": "primaryRole"}):
    id: str
    dates: list[_Dates] = []
    primary: bool = False


class _Rel(msgspec.Struct, rename={"dates": "Date", "target": "Target"}):
    id: str
    target: _Target
    dates: list[_Dates] = []


class _Succ(msgspec.Struct, rename={"dates": "Date", "type": "Type", "target": "Target"}):
    type: str
    target: _Target
    dates: list[_Dates] = []


class _Roles(msgspec.Struct, rename={"role": "Role"}):
    role: list[_Role] = []


class _Rels(msgspec.Struct, rename={"rel": "Rel"}):
    rel: list[_Rel] = []


class _Succs(msgspec.Struct, rename={"succ": "Succ"}):
    succ: list[_Succ] = []


class _Location(
    msgspec.Struct,
    rename={
        "line_1": "AddrLn1",
        "line_2": "AddrLn2",
        "line_3": "AddrLn3",
        "town": "Town",
        "county": "County",
        "postcode": "PostCode",
        "uprn": "UPRN",
    },
):
    line_1: str | None = None
    line_2: str | None = None
    line_3: str | None = None
    town: str | None = None
    county: str | None = None
    postcode: str | None = None
    uprn: int | str | None = None


class _Place(msgspec.Struct, rename={"location": "Location"}):
    location: _Location | None = None


class _Record(
    msgspec.Struct,
    rename={
        "org_id": "OrgId",
        "name": "Name",
        "status": "Status",
        "dates": "Date",
        "roles": "Roles",
        "rels": "Rels",
        "succs": "Succs",
        "place": "GeoLoc",
    },
):
    org_id: _Id
    name: str
    roles: _Roles
    status: str = ""
    dates: list[_Dates] = []
    rels: _Rels | None = None
    succs: _Succs | None = None
    place: _Place | None = None


class _Wrapped(msgspec.Struct, rename={"record": "Organisation"}):
    record: _Record


class _Document(msgspec.Struct, rename={"one": "Organisation", "bare": "OrgId", "many": "Organisations"}):
    one: msgspec.Raw | None = None
    bare: msgspec.Raw | None = None
    many: list[msgspec.Raw] | None = None


_record = msgspec.json.Decoder(_Record)
_wrapped = msgspec.json.Decoder(_Wrapped)


def open_ord(path: Path) -> Opened:
    """Open JSON or NDJSON of ORD records. Raises UnreadableFile when it is neither, or no record is in it."""
    records = _lines(path) if _is_lines(path) else iter(_documents(path))
    first = next(records, None)
    if first is None:
        raise UnreadableFile(f"{path.name} holds no record. Get the file again.")
    rows = (row_of_record(position, body) for position, body in enumerate(chain([first], records), start=1))
    return Opened("ods", "history", "Records of the NHS Organisation Data Service", rows=rows, of_today=OF_TODAY)


def _is_lines(path: Path) -> bool:
    """NDJSON: its first line is a whole object, or its second is and the first was broken."""
    with path.open("rb") as file:
        head = [file.readline(MOST_DOCUMENT_BYTES + 1).removeprefix(b"\xef\xbb\xbf").strip() for _ in range(2)]
    if head[0][:1] == b"[":
        return False
    return any(line[:1] == b"{" and _is_json(line) and b'"Organisations"' not in line[:200] for line in head)


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while line := file.readline(MOST_DOCUMENT_BYTES + 1):
            if len(line) > MOST_DOCUMENT_BYTES:
                raise _too_large(path)
            if line := line.removeprefix(b"\xef\xbb\xbf").strip():
                yield line


def _documents(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        text = file.read(MOST_DOCUMENT_BYTES + 1).removeprefix(b"\xef\xbb\xbf").strip()
    if len(text) > MOST_DOCUMENT_BYTES:
        raise _too_large(path)
    try:
        if text[:1] == b"[":
            found = msgspec.json.decode(text, type=list[msgspec.Raw])
        else:
            document = msgspec.json.decode(text, type=_Document)
            if document.one is None and document.bare is None and document.many is None:
                raise UnreadableFile(f"{path.name} is JSON, but no record of ODS. Get records from its ORD interface.")
            found = [msgspec.Raw(text)] if document.many is None else document.many
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnreadableFile(f"{path.name} is not whole JSON ({error}). Get the file again.") from None
    except UnicodeDecodeError:
        raise UnreadableFile(f"{path.name} is not UTF-8. Get the file again.") from None
    if found and b'"OrgLink"' in bytes(found[0]) and b'"Roles"' not in bytes(found[0]):
        raise UnreadableFile(
            f"{path.name} is a list of search results, which has no dates, roles or relations. Fetch the record "
            "of each organisation in it (its OrgLink) and give those, one a line."
        )
    return [bytes(each) for each in found]


def _too_large(path: Path) -> UnreadableFile:
    return UnreadableFile(
        f"{path.name} is larger than {MOST_DOCUMENT_BYTES // 1024**2} MB in one piece. Write one record a line."
    )


def row_of_record(position: int, body: bytes) -> Row:
    """What one record says, or why it cannot be taken."""
    text = body.decode("utf-8", errors="replace")
    try:
        bare = b'"Organisation"' not in body[:100]
        record = _record.decode(body) if bare else _wrapped.decode(body).record
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        wrong = f"Record {position} is not an ODS record in JSON ({error}). Fetch it again from ODS."
        return row_of(position, text, (), (wrong,))
    issues = tuple(f"Record {position}: {issue}" for issue in _issues(record, body))
    return row_of(position, text, () if issues else tuple(_sayings(record)), issues)


def _issues(record: _Record, body: bytes) -> Iterator[str]:
    if b"\\u0000" in body:
        yield "it holds the character U+0000. Fetch it again from ODS."
    targets = [rel.target for rel in _rels(record)] + [succ.target for succ in _succs(record)]
    for code in (record.org_id.extension, *(target.org_id.extension for target in targets)):
        if not ODS_CODE.fullmatch(code):
            yield f"{code[:40]!r} is not an ODS code. Fetch the record again from ODS."
    if not record.name.strip():
        yield "Name is empty. Fetch the record again from ODS."
    lives = _periods(record.dates)
    if record.status == "Inactive" and lives and lives[-1][1] is None:
        yield "its Status is Inactive, yet no End date says since when. Ask ODS for the date."
    for succ in _succs(record):
        if succ.type not in ("Predecessor", "Successor"):
            yield f"a succession has the Type {succ.type[:40]!r}. It must be Predecessor or Successor."
        elif not _periods(succ.dates):
            yield f"the succession with {succ.target.org_id.extension} has no date. Ask ODS for it."
    dated = [record.dates, *(role.dates for role in record.roles.role), *(rel.dates for rel in _rels(record))]
    for start, end in chain.from_iterable(map(_periods, dated)):
        if end is not None and end <= start:
            yield f"a period ends before it starts on {start}. Ask ODS which date is right."


def _rels(record: _Record) -> list[_Rel]:
    return record.rels.rel if record.rels else []


def _succs(record: _Record) -> list[_Succ]:
    return record.succs.succ if record.succs else []


def _periods(dates: list[_Dates], kind: str = "") -> list[Period]:
    """Half-open periods of a kind in order of start; without a kind, the operational ones before the legal.

    ODS gives the last day on which something was.
    """
    if not kind:
        return _periods(dates, "Operational") or _periods(dates, "Legal")
    return sorted(
        ((each.start, day_after(each.end)) for each in dates if each.type == kind and each.start),
        key=lambda period: period[0],
    )


def _sayings(record: _Record) -> Iterator[Saying]:
    code = record.org_id.extension
    lives = _periods(record.dates)
    roles = [(role, _periods(role.dates) or lives or [(EARLIEST, None)]) for role in record.roles.role]
    start = min((period[0] for period in (*lives, *chain(*(periods for _, periods in roles)))), default=EARLIEST)
    for kind, periods in (("open", lives), ("legal", _periods(record.dates, "Legal"))):
        for since, until in periods:
            yield Saying(code, kind, from_date=since, to_date=until)
    yield Saying(code, "name", record.name.strip(), from_date=start)
    for role, periods in roles:
        for since, until in periods:
            detail = {"primary": True} if role.primary else {}
            yield Saying(code, "role", role.id, from_date=since, to_date=until, detail=detail)
    for form, since, until in forms([(role.id, period) for role, periods in roles for period in periods]):
        yield Saying(code, "form", form, from_date=since, to_date=until)
    place = record.place.location if record.place else None
    if place:
        lines = (place.line_1, place.line_2, place.line_3, place.town, place.county)
        at = premises(code, (line or "" for line in lines), place.postcode or "", str(place.uprn or ""))
        if at:
            yield Saying(code, "premises", at.value, from_date=start, detail=at.detail)
    yield from _relations(record, code, lives or [(start, None)])


def _relations(record: _Record, code: str, lives: list[Period]) -> Iterator[Saying]:
    for rel in _rels(record):
        # Other relationships exist, as between a pharmacy and its terminal; the directory does not ask of them.
        if kind := RELATIONS.get(rel.id):
            for since, until in _periods(rel.dates) or lives:
                yield Saying(code, kind, target=rel.target.org_id.extension, from_date=since, to_date=until)
    for succ in _succs(record):
        other = succ.target.org_id.extension
        # Both sides state the same succession; it is always said of the earlier body.
        old, new = (code, other) if succ.type == "Successor" else (other, code)
        # A succession is a legal act; its first legal day is the day.
        day = (_periods(succ.dates, "Legal") or _periods(succ.dates))[0][0]
        yield Saying(old, "succeeded_by", target=new, from_date=day)


def forms(roles: list[tuple[str, Period]]) -> list[tuple[str, date, date | None]]:
    """The body's form from day to day, as its roles came and went.

    >>> forms([("RO197", (date(1993, 4, 1), None)), ("RO57", (date(2015, 3, 1), None))])[1]
    ('foundation_trust', datetime.date(2015, 3, 1), None)
    """
    days = sorted({day for _, (since, until) in roles for day in (since, until or LAST_DAY)})
    found: list[tuple[str, date, date]] = []
    for since, until in pairwise(days):
        held = {role for role, (start, end) in roles if start <= since and until <= (end or LAST_DAY)}
        if not held:
            continue
        form = form_of(held)
        if found and found[-1][0] == form and found[-1][2] == since:
            found[-1] = (form, found[-1][1], until)
        else:
            found.append((form, since, until))
    return [(form, since, None if until == LAST_DAY else until) for form, since, until in found]
