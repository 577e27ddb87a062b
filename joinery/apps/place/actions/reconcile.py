"""What a file says against what is known: only the difference is written.

A *history* tells all that was ever true of a body, for each kind of statement that it mentions. What
its source said before and says no more is withdrawn. Of a single-valued kind it replaces what others
said too, but only when it says something new: a change made by hand is not undone by yesterday's file.
A history tells all of a body in one row, or in rows of one batch.

A *snapshot* tells what is true on a day. What is new begins on that day (or when the body opened, if
the source never spoke of it before), and what has gone ends on it. So snapshots may come in any order:
one that comes late speaks up to the day of the next, at which all is as it was known to be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import orjson

from joinery.apps.base.columns import as_day, insert_rows, marks, reserve_ids, select
from joinery.apps.place.actions.editions import Entry, as_json
from joinery.apps.place.kinds import EARLIEST, KINDS, SCHEMES, Row, Saying, level_of
from joinery.apps.place.models import Edition, Organisation
from joinery.apps.place.sql import AsAt, of_kind, statements

_FIELDS = "s.organisation_id, s.kind, s.value, s.target_id, s.from_date, s.to_date, s.certainty, s.detail"
_MOST_IDS = 500

Known = dict[tuple[Any, ...], Entry]


class Reconciler:
    """Reconciles at most a batch of rows of one edition; `run` gives the entries to write."""

    def __init__(self, edition: Edition, rows: list[Row], of_today: Collection[str] = ()) -> None:
        sayings = [saying for row in rows for saying in row.sayings]
        self.rows, self.on, self.of_today = rows, edition.on_date, of_today
        self.today = edition.made_at.date()
        self.is_first, self.next = _neighbours(edition)
        self.ids = ids_of({s.code for s in sayings} | {s.target for s in sayings if s.target})
        as_at = AsAt(date.max, draft=edition.pk)
        bodies = sorted({self.ids[s.code] for s in sayings})
        self.own: dict[tuple[int, str], Known] = defaultdict(dict)
        self.live: dict[tuple[int, str], Known] = defaultdict(dict)
        for entry in _entries(as_at, "s.organisation_id", bodies, source=edition.source):
            self.own[entry.organisation_id, entry.kind][entry.key] = entry
        for entry in entries_of(as_at, bodies):
            self.live[entry.organisation_id, entry.kind][entry.key] = entry
        self.areas: dict[str, Known] = defaultdict(dict)
        areas = sorted({s.value for s in sayings if s.kind == "area"})
        for entry in area_entries(as_at, areas):
            self.areas[entry.value][entry.key] = entry
        self.own_areas: dict[str, Known] = defaultdict(dict)
        for entry in _entries(as_at, f"{of_kind('area')} AND s.value", areas, source=edition.source):
            self.own_areas[entry.value][entry.key] = entry
        around = {e.organisation_id for known in self.areas.values() for e in known.values()} | set(bodies)
        self.levels = _levels(as_at, around) if areas else {}
        self.levels |= {self.ids[s.code]: level_of(s.value) for s in sayings if s.kind == "form"}
        self.said: dict[tuple[int, str], set[tuple[Any, ...]]] = defaultdict(set)
        for entry in map(self._entry, sayings):
            self.said[entry.organisation_id, entry.kind].add(entry.key)
        self.last = {group: said for row in rows for group, said in self._grouped(row) if KINDS[group[1]].single}
        self.written: list[Entry] = []

    def run(self) -> tuple[list[Entry], int, int]:
        """The entries to write, how many rows said anything new, and how many a later row took back."""
        taken = superseded = 0
        for row in self.rows:
            before = len(self.written)
            whole = self._row(row)
            taken += len(self.written) > before
            superseded += not whole and len(self.written) == before
        return self.written, taken, superseded

    def _row(self, row: Row) -> bool:
        """Reconcile a row; False when a later one of the batch tells some of it anew, which counts instead."""
        opened = next((s.from_date for s in row.sayings if s.kind == "open" and s.from_date > EARLIEST), None)
        whole = True
        for (body, kind), sayings in self._grouped(row):
            if self.last.get((body, kind), sayings) != sayings:
                whole = False
            elif self.on is None and kind in self.of_today:
                self._of_today(body, kind, sayings)
            elif self.on is None:
                self._history(body, kind, sayings)
            elif KINDS[kind].per_value:
                for saying in sayings:
                    self._area(self._entry(saying), self.on)
            else:
                self._snapshot(body, kind, sayings, self.on, opened)
        return whole

    def _grouped(self, row: Row) -> Iterable[tuple[tuple[int, str], list[Saying]]]:
        """What a row says, by body and kind."""
        grouped: dict[tuple[int, str], list[Saying]] = defaultdict(list)
        for saying in row.sayings:
            grouped[self.ids[saying.code], saying.kind].append(saying)
        return grouped.items()

    def _entry(self, saying: Saying) -> Entry:
        target = self.ids[saying.target] if saying.target else None
        return Entry(
            self.ids[saying.code], saying.kind, saying.value, target, saying.from_date, saying.to_date,
            saying.certainty, as_json(saying.detail),
        )  # fmt: skip

    def _history(self, body: int, kind: str, sayings: list[Saying]) -> None:
        own, said = self.own[body, kind], self.said[body, kind]
        wanted = {entry.key: entry for entry in map(self._entry, sayings)}
        new = [entry for key, entry in wanted.items() if own.get(key) != entry]
        gone = [entry for key, entry in own.items() if key not in said]
        if new or gone:
            if KINDS[kind].single:
                new = list(wanted.values())
                gone += [e for key, e in self.live[body, kind].items() if key not in said and key not in own]
            self._write([*new, *(replace(entry, withdrawn=True) for entry in gone)])

    def _of_today(self, body: int, kind: str, sayings: list[Saying]) -> None:
        """What a source says without a date is true from today on; the same but for case is no news."""
        said, own, live = self._entry(sayings[-1]), self.own[body, kind], self.live[body, kind]
        if own and max(own.values(), key=lambda e: e.from_date).value.casefold() == said.value.casefold():
            return
        holding = [entry for entry in live.values() if holds(entry, self.today)]
        same = [entry for entry in holding if entry.value.casefold() == said.value.casefold()]
        if same or not live:
            self._write(same or [said])
        else:
            self._write([*(ended(entry, self.today) for entry in holding), replace(said, from_date=self.today)])

    def _snapshot(self, body: int, kind: str, sayings: list[Saying], on: date, opened: date | None) -> None:
        own = self.own[body, kind]
        start = min(opened, on) if opened and (self.is_first or not own) else on
        until = self._until(own.values())
        said = []
        for entry in map(self._entry, sayings):
            if entry.from_date > EARLIEST:
                said.append(entry)
                continue
            same = [e for e in own.values() if (e.value, e.target_id) == (entry.value, entry.target_id)]
            holding = next((e for e in same if holds(e, on)), None)
            others = own.values() if KINDS[kind].single else same
            last = _earliest(entry.to_date, until, *(e.from_date for e in others if e.from_date > on))
            said.append(
                replace(entry, from_date=holding.from_date, to_date=holding.to_date)
                if holding
                else replace(entry, from_date=start, to_date=last)
            )
        kept = {entry.key for entry in said}
        gone = [e for key, e in own.items() if key not in kept and holds(e, on)]
        self._write([*self._left(gone, start, until), *(e for e in said if own.get(e.key) != e)])

    def _area(self, said: Entry, on: date) -> None:
        """An area lies in one body of a level at a time, whoever said where it was before.

        Where its source put it last time is nothing new, even if somebody has moved it since.
        """
        on = said.from_date if said.from_date > EARLIEST else on
        own = [e for e in self._at_level(self.own_areas[said.value], said) if holds(e, on)]
        if own and max(own, key=lambda e: e.from_date).organisation_id == said.organisation_id:
            return
        known = self._at_level(self.areas[said.value], said)
        holding = [e for e in known if holds(e, on)]
        if any(e.organisation_id == said.organisation_id for e in holding):
            return
        until = self._until(known)
        last = _earliest(said.to_date, until, *(e.from_date for e in known if e.from_date > on))
        self._write([*self._left(holding, on, until), replace(said, from_date=on, to_date=last)])

    def _at_level(self, known: Known, like: Entry) -> list[Entry]:
        level = self.levels.get(like.organisation_id)
        return [e for e in known.values() if self.levels.get(e.organisation_id) == level]

    def _until(self, known: Iterable[Entry]) -> date | None:
        """The day of the next snapshot, if one was taken already and told what then held."""
        return self.next if self.next and any(holds(e, self.next) for e in known) else None

    def _left(self, gone: Iterable[Entry], on: date, until: date | None) -> Iterable[Entry]:
        """Entries that end on a day; what a later snapshot confirmed is back from then on."""
        for entry in gone:
            yield ended(entry, on)
            if until and holds(entry, until):
                yield replace(entry, from_date=until)

    def _write(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self.written.append(entry)
            held = [self.own[entry.organisation_id, entry.kind], self.live[entry.organisation_id, entry.kind]]
            if entry.kind == "area":
                held += [self.areas[entry.value], self.own_areas[entry.value]]
            for known in held:
                if entry.withdrawn:
                    known.pop(entry.key, None)
                else:
                    known[entry.key] = entry


def _neighbours(edition: Edition) -> tuple[bool, date | None]:
    """Whether a snapshot is the earliest of its source so far, and the day of the next one after it."""
    if edition.on_date is None:
        return False, None
    adopted = Edition.objects.filter(source=edition.source, sequence__isnull=False, on_date__isnull=False)
    days = sorted({day for day in adopted.values_list("on_date", flat=True) if day})
    return not any(day <= edition.on_date for day in days), next((d for d in days if d > edition.on_date), None)


def ids_of(codes: Collection[str]) -> dict[str, int]:
    """The ids of bodies by code: their own, or one that is known to be theirs too; new ones are made."""
    found: dict[str, int] = {}
    wanted = sorted(codes)
    for part in _parts(wanted):
        found |= dict(select(f"SELECT code, id FROM place_organisation WHERE code IN ({marks(part)})", part))
    found |= _by_other_code([code for code in wanted if code not in found])
    new = [code for code in wanted if code not in found]
    ids = reserve_ids(Organisation, len(new))
    insert_rows(Organisation, ("id", "code"), list(zip(ids, new, strict=True)))
    return found | dict(zip(new, ids, strict=True))


def _by_other_code(codes: list[str]) -> dict[str, int]:
    """Bodies by another code of theirs; a code that several bodies have had names none of them."""
    bodies: dict[str, set[int]] = defaultdict(set)
    for part in _parts([f"{scheme}:{code}" for code in codes for scheme in SCHEMES]):
        sql = (
            f"SELECT s.value, s.organisation_id FROM {statements(AsAt(date.max))} "
            f"WHERE {of_kind('code')} AND s.value IN ({marks(part)})"
        )
        for value, body in select(sql, part):
            bodies[value.partition(":")[2]].add(body)
    return {code: next(iter(ids)) for code, ids in bodies.items() if len(ids) == 1}


def _entries(as_at: AsAt, column: str, values: list[Any], source: str = "") -> list[Entry]:
    """Statements that count whose column is one of `values`; with `source`, what that source last said."""
    found = []
    for part in _parts(values):
        said_by = "s_e.source = %s AND " if source else ""
        sql = f"SELECT {_FIELDS} FROM {statements(as_at, own=bool(source))} WHERE {said_by}{column} IN ({marks(part)})"
        found += [
            Entry(b, k, v, t, as_day(f) or EARLIEST, as_day(u), c, _as_written(d))
            for b, k, v, t, f, u, c, d in select(sql, [*([source] if source else []), *part])
        ]
    return found


def _as_written(detail: Any) -> str:
    """Detail as `as_json` writes it; PostgreSQL keeps JSON in a form of its own."""
    return "{}" if detail == "{}" else as_json(orjson.loads(detail) if isinstance(detail, str) else detail)


def _levels(as_at: AsAt, bodies: set[int]) -> dict[int, str]:
    """The level at which each body stands, by the last form that it had."""
    levels: dict[int, tuple[date, str]] = {}
    for entry in _entries(as_at, "s.kind = 'form' AND s.organisation_id", sorted(bodies)):
        if entry.from_date >= levels.get(entry.organisation_id, (EARLIEST, ""))[0]:
            levels[entry.organisation_id] = (entry.from_date, level_of(entry.value))
    return {body: level for body, (_, level) in levels.items()}


def entries_of(as_at: AsAt, bodies: Collection[int]) -> list[Entry]:
    """All statements about some bodies that count, whatever their dates."""
    return _entries(as_at, "s.organisation_id", sorted(bodies))


def area_entries(as_at: AsAt, areas: Collection[str]) -> list[Entry]:
    """All statements that bodies cover some areas, whatever their dates."""
    return _entries(as_at, f"{of_kind('area')} AND s.value", sorted(areas))


def holds(entry: Entry, on: date) -> bool:
    """True when the entry is true on a day."""
    return entry.from_date <= on and (entry.to_date is None or entry.to_date > on)


def ended(entry: Entry, on: date) -> Entry:
    """The entry as it is when it ends on a day; one that was to begin then or later never was.

    A body that ends on its first day was, if not for a day: it may have been passed through.
    """
    was = entry.from_date < on or (entry.from_date == on and entry.kind == "open")
    return replace(entry, to_date=on) if was else replace(entry, withdrawn=True)


def _earliest(*days: date | None) -> date | None:
    return min((day for day in days if day), default=None)


def _parts(values: list[Any]) -> Iterable[list[Any]]:
    return (values[i : i + _MOST_IDS] for i in range(0, len(values), _MOST_IDS))
