"""Build the demonstration place: every file its services would send on two days, and the truth aside."""

import csv
import io
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from joinery.site.demo import cases, corruptor
from joinery.site.demo.corruptor import Defect
from joinery.site.demo.diary import at_clock
from joinery.site.demo.events import definitions
from joinery.site.demo.histories import histories
from joinery.site.demo.population import Person
from joinery.site.demo.returns import PERSON_IDS, File, Hospital, returns
from joinery.site.demo.writers import (
    Book,
    Copy,
    Ids,
    Record,
    Window,
    adt,
    adt_delivery,
    books,
    council,
    fhir,
    mods,
    mods_delivery,
)

# feed, organisation, which defect rates: in the order in which the files are taken in
SOURCES = (
    ("fhir", "Z90001", "gp"),
    ("fhir", "Z90002", "gp"),
    ("fhir", "ZC1", "community"),
    ("council", "999", "council"),
    ("mods", "1-999000102", "care_provider"),
    ("mods", "1-999000104", "care_provider"),
    ("adt", "ZH1", "hospital"),
)
WRITERS = {"fhir": fhir, "council": council, "mods": mods, "adt": adt}
REGISTERS = ("cqc", "ods")
# A postcode file like that of the Office for National Statistics, for the place alone.
POSTCODES = "directory/postcodes.csv"
OLDER_DAYS = 60  # how old the rows are that arrive late
SOME = 4  # late and repeated rows are looked for in every fourth person's file: enough, and quick


class Submission(NamedTuple):
    """One file to take in. A council's extract is several, people first; its manifest.json lies beside them."""

    feed: str
    organisation: str  # empty for a register, which nobody of the place sends
    path: Path
    day: date


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was built. `submissions` are in intake order; `records` counts resources, messages and CSV rows."""

    folder: Path
    people: int
    events: int
    records: int
    defects: int
    submissions: tuple[Submission, ...]
    truth: Path
    defects_file: Path


class _Source(NamedTuple):
    """One feed of one organisation with its own copies of its people."""

    feed: str
    organisation: str
    copies: list[Copy]
    ids: Ids
    people: list[Person]
    book: Book

    def records(self, window: Window) -> list[Record]:
        """What the source would send for a window, without defects in records."""
        if self.feed in ("council", "mods"):
            keeper = council if self.feed == "council" else mods
            return keeper.rows(self.copies, self.book, self.people, self.ids, window)
        sender = adt if self.feed == "adt" else fhir
        return sender.resources(self.copies, self.book, self.ids, window)

    def person_id(self, copy: Copy) -> str:
        """The key of the record that says who a person is."""
        if self.feed == "adt":
            return adt.patient_id(self.ids, copy.person.person, copy.number)
        kind = {"council": "person", "mods": mods.PERSON}.get(self.feed, "Patient")
        return self.ids(kind, (copy.person.person, copy.number))


def build(folder: Path, people: int = 500, seed: int = 1, as_of: date = date(2026, 11, 21)) -> Manifest:
    """Write the place under `folder`: a first full submission the day before `as_of`, and one on the day.

    The same arguments give the same bytes. `truth/truth.csv` says who every local identifier really is,
    `truth/defects.csv` lists every defect, `truth/cases.csv` who is easily mistaken for another, and
    `truth/census.csv` who lies in which bed at the beginning of the day. Raises ValueError for fewer than two people.
    """
    persons, events = histories(people, seed, as_of)
    kept = books(events)
    sources = {source[0:2]: _source(*source, persons.rows(), kept, seed) for source in SOURCES}
    before = as_of - timedelta(days=1)
    sent = [_first_day(source, before, seed) for source in sources.values()]
    sent += [_second_day(source, as_of, seed) for source in sources.values()]
    files, data = list[File](), dict[str, bytes]()
    for each in sent:
        files += (own := _files(each))
        data |= _manifests(each, own)
    trust, case = sources["adt", "ZH1"], sources["council", "999"]
    files += returns(case.records, case.ids, Hospital(trust.copies, trust.book, trust.ids), as_of)
    data |= {file.path: file.data for file in files}
    # Registers first: they say whose files the others are. What a day brings is taken before the next day's.
    files.sort(key=lambda file: (file.day, file.feed not in REGISTERS))
    defects = _listed(files, sources)
    data[POSTCODES] = _csv(("pcds", "lsoa21cd", "dointr", "doterm"), _postcodes())
    data["truth/truth.csv"] = _csv(("feed", "organisation", "kind", "local_id", "person"), sorted(_truth(files)))
    data["truth/defects.csv"] = _csv(("file", "key", "defect", "field", "was", "now"), defects)
    mistakable = [(told.case, p) for p in range(people) if (told := cases.told(p, people))]
    data["truth/cases.csv"] = _csv(("case", "person"), mistakable)
    midnight = adt.census(trust.book, trust.ids, at_clock(as_of, 0))
    data["truth/census.csv"] = _csv(("ward", "bed", "visit", "patient", "person"), midnight)
    for path, text in data.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text)
    submissions = tuple(Submission(file.feed, file.organisation, folder / file.path, file.day) for file in files)
    count = sum(len(file.records) for file in files)
    truth_file, defects_file = folder / "truth/truth.csv", folder / "truth/defects.csv"
    return Manifest(folder, len(persons), len(events), count, len(defects), submissions, truth_file, defects_file)


def _source(
    feed: str, organisation: str, rates: str, people: list[Person], kept: dict[str, Book], seed: int
) -> _Source:
    """A source and its partly wrong copies of the people it knows; one that knows nobody sends no FHIR."""
    book = kept.get(organisation, Book({}, {}))
    copies = corruptor.copies(people, sorted(book.by_person), organisation, definitions("defects")[rates], seed)
    return _Source(feed, organisation, copies, Ids(seed, organisation), people, book)


class _Sent(NamedTuple):
    """What one source sends on one day, and the defects made in it."""

    source: _Source
    day: date
    window: Window
    records: list[Record]
    made: list[Defect]


def _first_day(source: _Source, day: date, seed: int) -> _Sent:
    """Everything the source holds, with broken, repeated and missing records."""
    rng, window = random.Random(f"{seed}/spoil/{source.organisation}"), Window.ending(day, full=True)
    records = source.records(window)
    if source.feed == "adt":
        return _Sent(source, day, window, *adt_delivery.spoil(records, window, rng))
    if source.feed == "mods":
        return _Sent(source, day, window, *mods_delivery.spoil(records, rng))
    return _Sent(source, day, window, *corruptor.spoil(records, source.organisation, rng))


def _second_day(source: _Source, day: date, seed: int) -> _Sent:
    """What changed since the day before (all of it again, for a council), with late and repeated records."""
    rng = random.Random(f"{seed}/next_day/{source.organisation}")
    window = Window.ending(day, full=source.feed == "council")
    today = source.records(window)
    if source.feed == "adt":
        return _Sent(source, day, window, *adt_delivery.spoil(today, window, rng))
    some = source if source.feed == "mods" else source._replace(copies=source.copies[::SOME])
    first = some.records(Window.ending(day - timedelta(days=1), full=True))
    older = some.records(Window.ending(day - timedelta(days=OLDER_DAYS), full=True))
    next_day = mods_delivery.next_day if source.feed == "mods" else corruptor.next_day
    return _Sent(source, day, window, *next_day(today, first, older, rng))


def _files(sent: _Sent) -> list[File]:
    """The files of what one source sends on a day, each with the defects that are in it."""
    feed, organisation = sent.source.feed, sent.source.organisation
    packed = WRITERS[feed].pack(sent.records, organisation, str(sent.day))
    file_of = {(r.kind, r.local_id): path for path, records in packed.items() for r in records}
    made: dict[str, list[Defect]] = {}
    for defect in sent.made:
        made.setdefault(file_of[defect.kind, defect.local_id], []).append(defect)
    return [
        File(feed, organisation, path, sent.day, records, made.get(path, []), WRITERS[feed].encode(path, records))
        for path, records in packed.items()
    ]


def _manifests(sent: _Sent, files: list[File]) -> dict[str, bytes]:
    """The manifest that a council lays beside the files of a day, or a care provider beside its file."""
    source, data = sent.source, {file.path: file.data for file in files}
    if source.feed == "mods":
        return dict(mods.manifest(path, text, source.organisation, sent.window) for path, text in data.items())
    if source.feed == "council":
        folder = files[0].path.rsplit("/", 1)[0]
        return {f"{folder}/manifest.json": council.manifest(data, source.organisation, sent.window)}
    return {}


def _truth(files: list[File]) -> set[tuple[str, str, str, str, int]]:
    """Who every local identifier is: those of records, and what a return calls the person a row is about."""
    truth = set()
    for file in files:
        for record in file.records:
            found = [(record.kind, record.local_id)]
            if isinstance(record.body, dict):
                found += [("person", record.body[column]) for column in PERSON_IDS.get(file.feed, ())]
            truth |= {(file.feed, file.organisation, kind, key, record.person) for kind, key in found if key}
    return truth


def _listed(files: list[File], sources: dict[tuple[str, str], _Source]) -> list[tuple[str, ...]]:
    """Rows of defects.csv: each defect with the file that carries it, the copies' wrong details included."""
    details = {
        (*source, of.person_id(copy)): copy.defects
        for source, of in sources.items()
        for copy in of.copies
        if copy.defects
    }
    listed = []
    for file in files:
        listed += [(file.path, key, *change) for _, key, change in file.defects]
        about = {record.local_id: None for record in file.records}
        for key in about:
            listed += [(file.path, key, *change) for change in details.get((file.feed, file.organisation, key), ())]
    return sorted(listed)


def _postcodes() -> list[tuple[str, ...]]:
    """Rows of the postcode file: each postcode of the place and the area in which it lies."""
    areas = definitions("place")["lsoas"].items()
    return sorted((postcode, area, "198001", "") for area, postcodes in areas for postcode in postcodes)


def _csv(heads: tuple[str, ...], rows: Iterable[tuple]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return text.getvalue().encode()
