"""An HL7 v2 message in its ER7 form: segments, fields, repetitions, components; null and empty told apart.

Split first, unescape last, and leave what is no known escape as it stands: text must not be lost, as it is by
python-hl7 0.4.5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

NULL = '""'
_CHARSETS = {"": "", "ASCII": "", "UNICODE": "utf-8", "UNICODE UTF-8": "utf-8", "UTF-8": "utf-8"}
_ISO_CHARSET = re.compile(r"8859/(\d{1,2})")


class Unreadable(Exception):
    """The bytes are no HL7 message; says which rule they break, and what to do."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Marks:
    """The separators of a message, from the first characters of its MSH."""

    field: str
    component: str
    repetition: str
    escape: str
    part: str


class Segment:
    """One segment. Fields are counted from 1, as HL7 does; MSH-1 is the separator itself."""

    __slots__ = ("fields", "marks")

    def __init__(self, fields: list[str], marks: Marks) -> None:
        self.fields = fields
        self.marks = marks

    def raw(self, number: int) -> str:
        """A field as it was sent; empty where the segment ends before it."""
        return self.fields[number] if number < len(self.fields) else ""

    def repeats(self, number: int) -> list[str]:
        """The repetitions of a field; none of an empty one. A null stands as one repetition."""
        raw = self.raw(number)
        return raw.split(self.marks.repetition) if raw else []

    def text(self, number: int, component: int = 1) -> str | None:
        """A component of a field's first repetition: None when nothing was said, empty when deleted."""
        if number >= len(self.fields) or not (raw := self.fields[number]):
            return None
        return self.component(raw.partition(self.marks.repetition)[0], component)

    def component(self, repetition: str, component: int) -> str | None:
        """The same, of a repetition: its first part, unescaped. A null field deletes each component."""
        if repetition == NULL:
            return ""
        marks = self.marks
        if component == 1:
            raw = repetition.partition(marks.component)[0]
        else:
            parts = repetition.split(marks.component, component)
            raw = parts[component - 1] if component <= len(parts) else ""
        if not raw:
            return None
        part = raw.partition(marks.part)[0]
        if part == NULL:
            return ""
        return (unescape(part, marks) if marks.escape in part else part).strip() or None


class Message:
    """The segments of one message, by name, in order. `flags` are codes of how it had to be read."""

    __slots__ = ("by_name", "flags")

    def __init__(self, by_name: dict[str, list[Segment]], flags: tuple[str, ...]) -> None:
        self.by_name = by_name
        self.flags = flags

    def first(self, name: str) -> Segment | None:
        """The first segment of this name."""
        found = self.by_name.get(name)
        return found[0] if found else None


def parse(body: bytes) -> Message:
    """The message in the bytes. Raises Unreadable when its MSH or its characters cannot be made out."""
    marks = _marks(body[:9])
    text, flags = _decode(body, marks)
    if "\0" in text:
        raise Unreadable("encoding", "The message holds the character U+0000. Send it again without.")
    # Only a message without any CR may end its segments with LF.
    lines = text.split("\r") if "\r" in text else text.split("\n")
    by_name: dict[str, list[Segment]] = {}
    for line in lines:
        line = line.strip("\n")
        if line:
            fields = line.split(marks.field)
            if fields[0] == "MSH":
                fields.insert(1, marks.field)
            by_name.setdefault(fields[0], []).append(Segment(fields, marks))
    return Message(by_name, flags)


@lru_cache(maxsize=64)
def _marks(start: bytes) -> Marks:
    head = start.decode("latin-1")
    field = head[3:4]
    rest = head[4:].partition(field)[0] if field else ""
    if not head.startswith("MSH") or not field or field.isalnum() or field.isspace() or len(rest) < 2:
        raise Unreadable("header", r"The message does not begin with MSH and its separators, such as MSH|^~\&.")
    rest = (rest + r"^~\&"[len(rest) :])[:4]
    if len({field, *rest}) < 5 or any(mark.isalnum() or mark.isspace() or ord(mark) > 126 for mark in rest):
        raise Unreadable("header", r"The separators in MSH-1 and MSH-2 must be five different marks, as in |^~\&.")
    return Marks(field, *rest)


def _decode(body: bytes, marks: Marks) -> tuple[str, tuple[str, ...]]:
    """The text, by MSH-18; where that is empty or wrong, UTF-8 or else cp1252, with a flag."""
    if body.isascii():
        return body.decode("ascii"), ()
    head = re.split(rb"[\r\n]", body, maxsplit=1)[0].decode("latin-1").split(marks.field)
    named = head[17].partition(marks.repetition)[0].strip().upper() if len(head) > 17 else ""
    iso = _ISO_CHARSET.fullmatch(named)
    charset = f"iso-8859-{iso[1]}" if iso else _CHARSETS.get(named, "")
    for tried in filter(None, (charset, "utf-8")):
        try:
            return body.decode(tried), () if charset == tried else ("character_set_guessed",)
        except (UnicodeDecodeError, LookupError):
            continue
    # The five bytes that cp1252 leaves open become marks; the bytes themselves are kept.
    return body.decode("cp1252", errors="replace"), ("character_set_guessed",)


@lru_cache(maxsize=8)
def _escapes(escape: str) -> re.Pattern[str]:
    mark = re.escape(escape)
    return re.compile(f"{mark}([FSTRE]|\\.br){mark}|(?:{mark}X(?:[0-9A-Fa-f]{{2}})+{mark})+")


def unescape(text: str, marks: Marks) -> str:
    """The text with HL7's escapes resolved; anything that is none stays as it is.

    >>> unescape(r"Flat 2 \\T\\ 3, C:\\dir", Marks("|", "^", "~", "\\\\", "&"))
    'Flat 2 & 3, C:\\\\dir'
    """
    if marks.escape not in text:
        return text
    meant = {"F": marks.field, "S": marks.component, "T": marks.part, "R": marks.repetition, "E": marks.escape}

    def resolve(found: re.Match[str]) -> str:
        if found[1]:
            return "\n" if found[1] == ".br" else meant[found[1]]
        try:
            written = bytes.fromhex(found[0].replace(f"{marks.escape}X", "").replace(marks.escape, "")).decode("utf-8")
        except UnicodeDecodeError:
            return found[0]
        return found[0] if "\0" in written else written

    return _escapes(marks.escape).sub(resolve, text)


@dataclass(frozen=True, slots=True)
class Time:
    """An HL7 time as an instant in UTC. `repeats`: the clocks strike this hour twice, and it is taken as
    the first; `shifted`: the clocks leave this hour out, and it is taken as the next.
    """

    at: datetime
    precision: str
    repeats: bool = False
    shifted: bool = False


_TIME = re.compile(
    r"(?P<y>\d{4})(?:(?P<m>\d\d)(?:(?P<d>\d\d)(?:(?P<h>\d\d)(?P<min>\d\d)?(?:(?P<s>\d\d)(?:\.\d{1,6})?)?)?)?)?"
    r"(?P<zone>[+-]\d{4})?"
)
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?)?")


def plain_time(text: str) -> str:
    """A time that was written as ISO has it, as some senders do, in the form of HL7; any other as it is.

    >>> plain_time("2025-05-05 23:23:32Z"), plain_time("20250505")
    ('20250505232332+0000', '20250505')
    """
    if not _ISO.fullmatch(text):
        return text
    clock = text[10:].lstrip("T ").replace(":", "").replace("Z", "+0000")
    return text[:10].replace("-", "") + clock


@lru_cache(maxsize=8192)
def time_of(text: str, zone: ZoneInfo) -> Time | None:
    """A time as HL7 writes it, `YYYY[MM[DD[HHMM[SS[.S]]]]][+ZZZZ]`, or as ISO does; None when it is none.

    Without an offset it is the time on the wall; 2400 is midnight at the end of the day.
    """
    found = _TIME.fullmatch(plain_time(text))
    if not found or found["y"] == "0001":  # what software writes where it has no date
        return None
    precision = "minute" if found["h"] else "day" if found["d"] else "month" if found["m"] else "year"
    hour = int(found["h"] or 0)
    try:
        day = datetime(int(found["y"]), int(found["m"] or 1), int(found["d"] or 1))  # noqa: DTZ001 (zone below)
        if hour == 24 and int(found["min"] or 0) == int(found["s"] or 0) == 0:
            wall = day + timedelta(days=1)
        else:
            wall = day.replace(hour=hour, minute=int(found["min"] or 0), second=min(int(found["s"] or 0), 59))
        return _instant(wall, precision, found["zone"], zone)
    except (ValueError, OverflowError):
        return None


def _instant(wall: datetime, precision: str, offset: str | None, zone: ZoneInfo) -> Time:
    if offset:
        ahead = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))
        return Time((wall - ahead if offset[0] == "+" else wall + ahead).replace(tzinfo=UTC), precision)
    first = wall.replace(tzinfo=zone)
    at = first.astimezone(UTC)
    two = first.replace(fold=1).utcoffset() != first.utcoffset()
    skipped = two and at.astimezone(zone).replace(tzinfo=None) != wall
    return Time(at, precision, repeats=two and not skipped, shifted=skipped)
