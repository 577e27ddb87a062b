"""A body's history as a simple picture, and as the rows of the table that says the same in text.

The picture is made of bars and arrows over years: names and forms, what came in and what went out.
Every label stands on a line of its own, wrapped and never cut, so it reads at any width. Positions are
in pixels; colours and letters are the style sheet's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from joinery.apps.place import facts
from joinery.site.jinja import longdate
from joinery.site.place.looking import FIRST_DAY, LAST_DAY
from joinery.site.place.words import CERTAINTY, capital, form_words, source_words, span_words, succession_note

WIDE, NARROW = 720, 300
MOST_DRAWN = 8
MOST_ROWS = 60
_MARGIN, _LINE, _BAR, _GAP = 14, 18, 12, 9
# Arial at 14 pixels: small letters are 6.6 wide on average, capitals 9.4, the widest 13.
_SMALL, _CAPITAL, _WIDEST = 7, 9.6, 13.5
_STEPS = (1, 2, 5, 10, 20, 50, 100)
_TICK = 46


@dataclass(frozen=True, slots=True)
class Label:
    """A line of text; `kind` is heading, text or year."""

    x: float
    y: float
    text: str
    kind: str = "text"
    anchor: str = "start"


@dataclass(frozen=True, slots=True)
class Shape:
    """A path; `kind` is name, form, arrow, grid or day."""

    path: str
    kind: str


@dataclass
class Picture:
    """What a template draws, and what it says to somebody who cannot see it."""

    width: int
    title: str
    description: str
    height: float = 0
    shapes: list[Shape] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: when, what, the other body if there is one, and the small print."""

    day: date
    when: str
    what: str
    other: facts.Brief | None
    note: str
    foot: str


def spells(said: Iterable[facts.Said]) -> list[facts.Said]:
    """Statements of one single-valued kind as they follow each other: of several, what was said last counts."""
    said = list(said)
    cuts = sorted({s.from_date for s in said} | {s.to_date or date.max for s in said})
    found: list[facts.Said] = []
    for start, end in zip(cuts, cuts[1:], strict=False):
        here = [s for s in said if s.from_date <= start and (s.to_date is None or s.to_date >= end)]
        if not here:
            continue
        last = max(here, key=lambda s: (s.known_at or datetime.max.replace(tzinfo=UTC), s.from_date))
        until = None if end == date.max else end
        if found and found[-1].value == last.value and found[-1].to_date == start:
            found[-1] = replace(found[-1], to_date=until)
        else:
            found.append(replace(last, from_date=start, to_date=until))
    return found


def spells_of(history: facts.History, kind: str) -> list[facts.Said]:
    """The spells of one kind in a history."""
    return spells(s for s in history.said if s.kind == kind)


def end_of(history: facts.History) -> date | None:
    """The first day on which the body is no more: nobody ends the name of a body that ends."""
    return next((s.to_date for s in spells_of(history, "open")[-1:]), None)


def neighbours(history: facts.History) -> tuple[list[facts.Succession], list[facts.Succession]]:
    """What the body took over directly, and what directly took over from it."""
    code = history.brief.code
    return [s for s in history.before if s.to.code == code], [s for s in history.after if s.body.code == code]


def rows(history: facts.History) -> tuple[list[Row], bool]:
    """The history as rows by date, and whether there are more than are given."""
    found = []
    ended = end_of(history)
    for kind, what in (("name", "Called {}"), ("form", "Its form: {}"), ("legal", "In law")):
        for each in spells_of(history, kind):
            value = form_words(each.value) if kind == "form" else each.value
            when = span_words(each.from_date, each.to_date or ended) or "As long as is known"
            foot = _foot(each)
            found.append(Row(each.from_date, capital(when), what.format(value), None, "", foot))
    for each in spells_of(history, "open"):
        foot = _foot(each)
        if each.from_date > facts.EARLIEST:
            found.append(Row(each.from_date, longdate(each.from_date), "Opened", None, "", foot))
        if each.to_date:
            found.append(
                Row(each.to_date, longdate(each.to_date), "Ended: from this day on it is no more", None, "", foot)
            )
    successions = {(s.body.code, s.to.code, s.on): s for s in (*history.before, *history.after)}
    found += [_succession_row(each, history.brief.code) for each in successions.values()]
    found.sort(key=lambda row: row.day)
    return found[:MOST_ROWS], len(found) > MOST_ROWS


def _succession_row(each: facts.Succession, code: str) -> Row:
    foot = _foot(each)
    when = longdate(each.on)
    if each.to.code == code:
        return Row(each.on, when, "Took over from", each.body, succession_note(each), foot)
    if each.body.code == code:
        return Row(each.on, when, "Succeeded by", each.to, succession_note(each), foot)
    what = f"{each.to.name} ({each.to.code}) took over from"
    return Row(each.on, when, what, each.body, succession_note(each), foot)


def _foot(each: facts.Said | facts.Succession) -> str:
    return "; ".join(part for part in (CERTAINTY.get(each.certainty), source_words(each.source)) if part)


def draw(history: facts.History, on: date, width: int = WIDE) -> Picture:
    """The picture of a history, with a day marked."""
    before, after = neighbours(history)
    names, forms = spells_of(history, "name"), spells_of(history, "form")
    life = spells_of(history, "open")
    years = _Years.of([*names, *forms, *life], [*before, *after], on, width)
    brief = history.brief
    picture = Picture(width, f"The history of {brief.name}", _description(names, forms, before, after, years))
    pen = _Pen(picture, years)
    ended = end_of(history)
    pen.day(on)
    incoming = pen.successions("Took over from", before, coming=True)
    top = pen.y
    pen.bars("Names", "name", [(s.value, s.from_date, s.to_date or ended) for s in names])
    pen.arrows_down(incoming, top)
    pen.bars("Forms", "form", [(form_words(s.value), s.from_date, s.to_date or ended) for s in forms])
    pen.successions("Succeeded by", after, coming=False)
    pen.frame(on)
    return picture


def _description(
    names: list[facts.Said], forms: list[facts.Said],
    before: list[facts.Succession], after: list[facts.Succession], years: _Years,
) -> str:  # fmt: skip
    counts = (
        (len(names), "name", "names"),
        (len(forms), "form", "forms"),
        (len(before), "body before it", "bodies before it"),
        (len(after), "body after it", "bodies after it"),
    )
    said = ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in counts if count)
    return f"Bars and arrows over the years {years.first.year} to {years.last.year}: {said}. The table says the same."


@dataclass(frozen=True, slots=True)
class _Years:
    """The years that the picture covers, over its width."""

    first: date
    last: date
    width: int

    @classmethod
    def of(cls, said: list[facts.Said], edges: list[facts.Succession], on: date, width: int) -> _Years:
        days = [on, *(e.on for e in edges), *(s.from_date for s in said), *(s.to_date for s in said if s.to_date)]
        days = [day for day in days if FIRST_DAY <= day <= LAST_DAY]
        first, last = min(days).year, max(days).year
        # Some room on both sides, so that a life that goes on is seen to go on.
        room = max(1, (last - first) // 10)
        return cls(date(first - room, 1, 1), date(last + room + 1, 1, 1), width)

    def x(self, day: date) -> float:
        """Where a day stands."""
        inner = self.width - 2 * _MARGIN
        part = (min(max(day, self.first), self.last) - self.first) / (self.last - self.first)
        return round(_MARGIN + part * inner, 1)

    def ticks(self) -> list[int]:
        """The years to name below."""
        span = self.last.year - self.first.year
        step = next((s for s in _STEPS if span / s * _TICK <= self.width - 2 * _MARGIN), _STEPS[-1])
        return [year for year in range(self.first.year + 1, self.last.year) if year % step == 0]


def _width(text: str) -> float:
    """About how wide a text is, rather too much than too little."""
    wide = sum(letter.isupper() or not letter.isascii() for letter in text)
    widest = sum(letter in "MWmw@%" for letter in text)
    return (len(text) - wide) * _SMALL + wide * _CAPITAL + widest * (_WIDEST - _CAPITAL)


def _lines(words: str, room: float) -> list[str]:
    """Words on lines that fit; a word that is wider than a line is broken."""
    lines = [""]
    for word in words.split(" "):
        longer = f"{lines[-1]} {word}".strip(" ")
        if _width(longer) <= room:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if lines[-1] and _width(lines[-1] + letter) > room:
                lines.append("")
            lines[-1] += letter
    return lines


@dataclass
class _Pen:
    """Draws from the top down."""

    picture: Picture
    years: _Years
    y: float = 4

    def text(self, words: str, kind: str = "text", x: float = _MARGIN, anchor: str = "start") -> None:
        """Words, wrapped, on lines of their own; where they begin to the right they may still reach back."""
        lines = _lines(words, self.picture.width - 2 * _MARGIN)
        if anchor == "start":
            x = min(x, max(_MARGIN, self.picture.width - _MARGIN - max(map(_width, lines))))
        for line in lines:
            self.y += _LINE
            self.picture.labels.append(Label(round(x, 1), self.y - 4, line, kind, anchor))

    def day(self, on: date) -> None:
        """The words of the marked day, at the top."""
        words = longdate(on)
        half = _width(words) / 2
        x = min(max(self.years.x(on), _MARGIN + half), self.picture.width - _MARGIN - half)
        self.y += _LINE
        self.picture.labels.append(Label(round(x, 1), self.y - 4, words, "day", "middle"))

    def bars(self, heading: str, kind: str, spans: list[tuple[str, date, date | None]]) -> None:
        """One bar for each span, its words above it. An open end is drawn as a point."""
        if not spans:
            return
        self.y += _GAP
        self.text(heading, "heading")
        for words, start, end in spans:
            open_start = start <= self.years.first
            left = self.years.x(start)
            right = max(self.years.x(end) if end else self.years.x(date.max), left + 3)
            self.text(words, x=left)
            self.y += 3
            top, middle, bottom = self.y, self.y + _BAR / 2, self.y + _BAR
            west = f"L{left} {middle}" if open_start else ""
            inner = left + (6 if open_start else 0)
            east = f"L{right} {middle}" if end is None else ""
            outer = right - (6 if end is None else 0)
            self.shape(f"M{inner} {top}H{outer}{east}L{outer} {bottom}H{inner}{west}Z", kind)
            self.y = bottom + 3

    def successions(self, heading: str, edges: list[facts.Succession], coming: bool) -> list[tuple[float, float]]:
        """A line for each body that came in or took over; returns where those that come in turn down."""
        if not edges:
            return []
        start, turns = self.y, []
        self.y += _GAP
        self.text(heading, "heading")
        for each in edges[:MOST_DRAWN]:
            other, note = (each.body if coming else each.to), each.part
            x = self.years.x(each.on)
            # The day stays on one line.
            day = longdate(each.on).replace(" ", "\u00a0")
            words = f"{other.name}, {day}{f' (part: {note})' if note else ''}"
            self.beside(words, x, coming)
            self.y += 6
            if coming:
                self.shape(f"M{_MARGIN} {self.y}H{x}", "arrow")
                turns.append((x, self.y))
            else:
                right = self.picture.width - _MARGIN
                self.shape(f"M{x} {start}V{self.y}H{max(right, x)}m-7 -4l7 4l-7 4", "arrow")
            self.y += 4
        if len(edges) > MOST_DRAWN:
            self.text(f"and {len(edges) - MOST_DRAWN} more, which are in the table")
        return turns

    def beside(self, words: str, x: float, coming: bool) -> None:
        """Words clear of the line that goes down at `x`, on the side on which there is room, if there is."""
        length, right = _width(words), self.picture.width - _MARGIN
        if coming and x + 8 + length <= right:
            self.text(words, x=x + 8)
        elif not coming and x - 8 - length >= _MARGIN:
            self.text(words, x=x - 8, anchor="end")
        else:
            self.text(words)

    def arrows_down(self, turns: list[tuple[float, float]], top: float) -> None:
        """Lead the lines that came in down to the first bar."""
        bars = [shape for shape in self.picture.shapes if shape.kind == "name"]
        foot = float(bars[0].path.split("H")[0].split(" ")[1]) if bars else top + _GAP
        for x, y in turns:
            self.shape(f"M{x} {y}V{foot}m-4 -7l4 7l4 -7", "arrow")

    def frame(self, on: date) -> None:
        """The years below, the lines of the grid and of the marked day behind everything."""
        self.y += _GAP
        bottom = self.y
        behind = [
            Shape(f"M{self.years.x(date(year, 1, 1))} {_LINE + 6}V{bottom}", "grid") for year in self.years.ticks()
        ]
        behind.append(Shape(f"M{self.years.x(on)} {_LINE + 6}V{bottom}", "day"))
        self.picture.shapes[:0] = behind
        for year in self.years.ticks():
            x = min(max(self.years.x(date(year, 1, 1)), 18), self.picture.width - 18)
            self.picture.labels.append(Label(round(x, 1), bottom + 16, str(year), "year", "middle"))
        self.picture.height = bottom + 24

    def shape(self, path: str, kind: str) -> None:
        self.picture.shapes.append(Shape(path, kind))
