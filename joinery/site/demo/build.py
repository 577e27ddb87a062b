"""Build the demonstration place: every file its services would send on two days, and the truth aside."""

import csv
import io
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from joinery.site.demo import corruptor
from joinery.site.demo.corruptor import Defect
from joinery.site.demo.events import definitions
from joinery.site.demo.histories import histories
from joinery.site.demo.population import Person
from joinery.site.demo.writers import Book, Copy, Ids, Record, Window, books, council, fhir

# feed, organisation, which defect rates: in the order in which the files are taken in
SOURCES = (
    ("fhir", "Z90001", "gp"),
    ("fhir", "Z90002", "gp"),
    ("fhir", "ZC1", "community"),
    ("council", "999", "council"),
)
# A postcode file like that of the Office for National Statistics, for the place alone.
POSTCODES = "directory/postcodes.csv"
OLDER_DAYS = 60  # how old the rows are that arrive late
SOME = 4  # late and repeated rows are looked for in every fourth person's file: enough, and quick


class Submission(NamedTuple):
    """One file to take in. A council's extract is several, people first; its manifest.json lies beside them."""

    feed: str
    organisation: str
    path: Path


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was built. `submissions` are in intake order; `records` counts FHIR resources and CSV rows."""

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
        if self.feed == "council":
            return council.rows(self.copies, self.book, self.people, self.ids, window)
        return fhir.resources(self.copies, self.book, self.ids, window)


def build(folder: Path, people: int = 500, seed: int = 1, as_of: date = date(2026, 11, 21)) -> Manifest:
    """Write the place under `folder`: a first full submission the day before `as_of`, and one on the day.

    The same arguments give the same bytes. `truth/truth.csv` says who every local identifier really is and
    `truth/defects.csv` lists every defect. Raises ValueError for fewer than two people.
    """
    persons, events = histories(people, seed, as_of)
    kept = books(events)
    sources = [_source(*source, persons.rows(), kept, seed) for source in SOURCES]
    before = as_of - timedelta(days=1)
    sent = [_first_day(source, before, seed) for source in sources]
    sent += [_second_day(source, as_of, seed) for source in sources]
    files: dict[str, bytes] = {}
    truth, defects, submissions = set(), [], []
    for source, day, records, made in sent:
        packed = (council if source.feed == "council" else fhir).pack(records, source.organisation, str(day))
        truth |= {(source.feed, source.organisation, r.kind, r.local_id, r.person) for r in records}
        defects += _listed(packed, made, source)
        files |= _encoded(packed, source, day)
        submissions += [Submission(source.feed, source.organisation, folder / path) for path in packed]
    files[POSTCODES] = _csv(("pcds", "lsoa21cd", "dointr", "doterm"), _postcodes())
    files["truth/truth.csv"] = _csv(("feed", "organisation", "kind", "local_id", "person"), sorted(truth))
    files["truth/defects.csv"] = _csv(("file", "key", "defect", "field", "was", "now"), defects)
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    count = sum(len(records) for _, _, records, _ in sent)
    truth_file, defects_file = folder / "truth/truth.csv", folder / "truth/defects.csv"
    return Manifest(
        folder, len(persons), len(events), count, len(defects), tuple(submissions), truth_file, defects_file
    )


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
    records: list[Record]
    made: list[Defect]


def _first_day(source: _Source, day: date, seed: int) -> _Sent:
    """Everything the source holds, with broken, repeated and missing records."""
    rng = random.Random(f"{seed}/spoil/{source.organisation}")
    return _Sent(source, day, *corruptor.spoil(source.records(Window.ending(day, full=True)), source.organisation, rng))


def _second_day(source: _Source, day: date, seed: int) -> _Sent:
    """What changed since the day before (all of it again, for a council), with late and repeated records."""
    rng = random.Random(f"{seed}/next_day/{source.organisation}")
    some = source._replace(copies=source.copies[::SOME])
    first = some.records(Window.ending(day - timedelta(days=1), full=True))
    older = some.records(Window.ending(day - timedelta(days=OLDER_DAYS), full=True))
    today = source.records(Window.ending(day, full=source.feed == "council"))
    return _Sent(source, day, *corruptor.next_day(today, first, older, rng))


def _listed(packed: dict[str, list[Record]], made: list[Defect], source: _Source) -> list[tuple[str, ...]]:
    """Rows of defects.csv: each defect with the file that carries it, the copies' wrong details included."""
    details = {
        source.ids("person" if source.feed == "council" else "Patient", (copy.person.person, copy.number)): copy.defects
        for copy in source.copies
        if copy.defects
    }
    file_of = {(r.kind, r.local_id): path for path, records in packed.items() for r in records}
    listed = [(file_of[kind, key], key, *change) for kind, key, change in made]
    for (_, key), path in file_of.items():
        listed += [(path, key, *change) for change in details.get(key, ())]
    return sorted(listed)


def _postcodes() -> list[tuple[str, ...]]:
    """Rows of the postcode file: each postcode of the place and the area in which it lies."""
    areas = definitions("place")["lsoas"].items()
    return sorted((postcode, area, "198001", "") for area, postcodes in areas for postcode in postcodes)


def _encoded(packed: dict[str, list[Record]], source: _Source, day: date) -> dict[str, bytes]:
    """The bytes of each file of a submission, with the manifest a council adds."""
    writer = council if source.feed == "council" else fhir
    files = {path: writer.encode(path, records) for path, records in packed.items()}
    if source.feed == "council":
        folder = next(iter(files)).rsplit("/", 1)[0]
        files[f"{folder}/manifest.json"] = council.manifest(files, source.organisation, Window.ending(day, full=True))
    return files


def _csv(heads: tuple[str, ...], rows: Iterable[tuple]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return text.getvalue().encode()
