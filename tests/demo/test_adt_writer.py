"""The hospital's messages: readable, true about who lies where, and wrong only where it is written down."""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest

from joinery.apps.record.adt.er7 import parse
from joinery.apps.record.adt.files import messages_in, read_pieces
from joinery.apps.record.adt.message import row_of
from joinery.apps.record.rows import Row
from joinery.calc.adt import Fact, fold
from joinery.calc.adt_people import Merge, survivors
from joinery.site.demo import corruptor
from joinery.site.demo.corruptor import Defect
from joinery.site.demo.diary import at_clock
from joinery.site.demo.events import definitions
from joinery.site.demo.histories import histories
from joinery.site.demo.writers import Book, Copy, Ids, Record, Window, adt, adt_delivery, books

AS_OF = date(2026, 11, 21)
CODE = "ZH1"
FIRST, SECOND = Window.ending(AS_OF - timedelta(days=1), full=True), Window.ending(AS_OF, full=False)
WHOLE = Window.ending(AS_OF, full=True)


@dataclass
class Hospital:
    """What the hospital holds, and what it sends on two days."""

    book: Book
    copies: list[Copy]
    ids: Ids
    files: tuple[tuple[Window, bytes], ...]
    clean: list[Record]
    arrived: list[list[Record]]
    defects: list[Defect]


def hospital(people: int = 500, seed: int = 1, as_of: date = AS_OF) -> Hospital:
    persons, events = histories(people, seed, as_of)
    book, ids = books(events).get(CODE, Book({}, {})), Ids(seed, CODE)
    copies = corruptor.copies(persons.rows(), sorted(book.by_person), CODE, definitions("defects")["hospital"], seed)
    files, arrived, defects = [], [], []
    for day, full in ((as_of - timedelta(days=1), True), (as_of, False)):
        window = Window.ending(day, full)
        clean = adt.resources(copies, book, ids, window)
        records, made = adt_delivery.spoil(clean, window, random.Random(f"{seed}/{day}"))
        for path, packed in adt.pack(records, CODE, str(day)).items():
            files.append((window, adt.encode(path, packed)))
        arrived.append(records)
        defects += made
    whole = adt.resources(copies, book, ids, Window.ending(as_of, full=True))
    return Hospital(book, copies, ids, tuple(files), whole, arrived, defects)


@pytest.fixture(scope="module")
def sent() -> Hospital:
    return hospital()


def rows_of(data: bytes) -> list[Row]:
    return [row_of(piece, number) for number, piece in enumerate(messages_in(data), start=1)]


def lying(rows: list[Row], at: datetime) -> list[tuple[str, str, str, str]]:
    """Ward, bed, visit and patient of everybody in a bed, by the fold of the messages and their merges."""
    facts: dict[str, list[Fact]] = defaultdict(list)
    merges = []
    for row in rows:
        if row.message is None:
            continue
        fact = row.message.fact
        merges += [Merge(fact.occurred, fact.digest, losing, row.local_id) for losing in row.message.losing]
        if row.message.visit:
            facts[row.message.visit].append(fact)
    stands, refused = survivors(merges)
    assert not refused
    visits = {key.split("/")[1]: fold(own) for key, own in facts.items()}
    return sorted(
        (place.ward, place.bed, key, stands.get(visit.patient, visit.patient))
        for key, visit in visits.items()
        if visit.state != "cancelled" and (place := visit.place_at(at))
    )


def midnights(days: int) -> list[datetime]:
    return [at_clock(AS_OF - timedelta(days=back), 0) for back in range(days)]


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(sent: Hospital) -> None:
    assert hospital().files == sent.files
    assert hospital(seed=2).files != sent.files


@pytest.mark.parametrize(("people", "as_of"), [(2, AS_OF), (40, date(2024, 2, 29)), (300, date(2026, 10, 26))])
def test_small_places_and_other_dates_are_readable(people: int, as_of: date) -> None:
    made = hospital(people, 3, as_of)
    rows = [row for _, data in made.files for row in rows_of(data)]
    assert rows and {issue.rule for row in rows for issue in row.issues} <= {"header"}


def test_every_message_is_readable_but_the_one_that_is_said_to_be_broken(sent: Hospital, tmp_path) -> None:
    first, second = (rows_of(data) for _, data in sent.files)
    assert all(row.message for row in second)
    (unread,) = [row for row in first if row.message is None]
    assert [issue.rule for issue in unread.issues] == ["header"]
    (tmp_path / "day.hl7").write_bytes(sent.files[0][1])
    assert [piece.body for piece in read_pieces(tmp_path / "day.hl7")] == [row.body for row in first]
    events = {row.message.fact.event for row in [*first, *second] if row.message}
    assert events == {"A01", "A02", "A03", "A08", "A11", "A12", "A13", "A28", "A31", "A40"}


def test_the_true_census_is_what_the_clean_messages_come_to(sent: Hospital) -> None:
    rows = rows_of(adt.encode("", sent.clean))
    for at in midnights(60):
        assert lying(rows, at) == [row[:4] for row in adt.census(sent.book, sent.ids, at)], at
    now = adt.census(sent.book, sent.ids, midnights(1)[0])
    assert len(now) >= 5 and len({row[0] for row in now}) >= 3 and 0 not in {row[4] for row in now}
    assert len({row[:2] for row in now}) == len(now)


def test_so_do_the_files_with_all_their_defects(sent: Hospital) -> None:
    rows = [row for _, data in sent.files for row in rows_of(data)]
    assert lying(rows, midnights(1)[0]) == [row[:4] for row in adt.census(sent.book, sent.ids, midnights(1)[0])]


def test_two_days_tell_what_one_file_would(sent: Hospital) -> None:
    days = [record for window in (FIRST, SECOND) for record in adt.resources(sent.copies, sent.book, sent.ids, window)]
    assert days == sent.clean == adt.resources(sent.copies, sent.book, sent.ids, WHOLE)


def test_nothing_is_sent_after_the_file_and_nothing_happens_after_the_census(sent: Hospital) -> None:
    for window, data in sent.files:
        for row in rows_of(data):
            if row.message:
                fact = row.message.fact
                assert fact.occurred <= fact.recorded <= fact.sent and window.since <= fact.sent < window.until


def test_nothing_about_mrs_smith_is_spoilt(sent: Hospital) -> None:
    hers = {(record.kind, record.local_id) for records in sent.arrived for record in records if record.person == 0}
    assert not hers & {(kind, key) for kind, key, _ in sent.defects}
    bodies = [record.body for records in sent.arrived for record in records if record.person == 0]
    assert bodies == [record.body for record in sent.clean if record.person == 0]
    visit = fold([row.message.fact for row in rows_of(adt.encode("", [r for r in sent.clean if r.person == 0]))
                  if row.message and row.message.visit])  # fmt: skip
    assert (visit.state, visit.codes["destination"], [s.place.ward for s in visit.stays]) == (
        "discharged", "19", ["Acute medical unit", "Plover ward"],
    )  # fmt: skip


def test_each_kind_of_defect_occurs(sent: Hospital) -> None:
    assert set(Counter(defect.change.defect for defect in sent.defects)) == {
        "admitted_by_mistake", "moved_by_mistake", "discharged_by_mistake", "merged", "phone_deleted", "late",
        "out_of_order", "sent_twice", "latin_1", "header_broken",
    }  # fmt: skip


def test_every_defect_is_really_there(sent: Hospital) -> None:
    records = [record for day in sent.arrived for record in day]
    for kind, key, change in sent.defects:
        found = [at for at, record in enumerate(records) if (record.kind, record.local_id) == (kind, key)]
        check(change.defect, change.now, records, found)


def check(defect: str, now: str, records: list[Record], found: list[int]) -> None:
    """One defect of the messages at these positions."""
    body = adt.encode("", [records[found[0]]]).rstrip(b"\r")
    if defect == "header_broken":
        assert not body.startswith(b"MSH|")
        return
    message = parse(body)
    fact = row_of(messages_in(body)[0], 1).message.fact
    if defect == "latin_1":
        assert message.flags == ("character_set_guessed",) and "LEFÈVRE" in message.first("EVN").raw(5)
    elif defect == "late":
        assert fact.sent - fact.occurred > timedelta(hours=1)
    elif defect == "phone_deleted":
        assert message.first("PID").text(13) == ""
    elif defect == "merged":
        assert fact.event == "A40" and message.first("MRG").raw(1) == now
    elif defect == "sent_twice":
        assert len(found) == 2 and records[found[0]] == records[found[1]]
    elif defect == "out_of_order":
        visit = message.first("PV1").raw(19)
        before = [parse(adt.encode("", [record])) for record in records[: found[0]] if record.kind != "broken"]
        earlier = [m for m in before if (pv1 := m.first("PV1")) and pv1.raw(19) == visit]
        assert any(m.first("MSH").raw(7) > message.first("MSH").raw(7) for m in earlier)
    else:
        assert fact.event == {"admitted": "A11", "moved": "A12", "discharged": "A13"}[defect.split("_")[0]]


def test_an_update_comes_before_its_admission(sent: Hospital) -> None:
    seen, early = set(), 0
    for row in rows_of(sent.files[0][1]):
        if row.message and row.message.visit:
            early += row.message.fact.event == "A01" and (row.message.visit, "A08") in seen
            seen.add((row.message.visit, row.message.fact.event))
    assert early >= 1


def test_separators_in_a_name_are_escaped_and_come_back() -> None:
    book = hospital(40).book
    person = next(iter(book.by_person))
    people, _ = histories(40, 1, AS_OF)
    held = people.rows()[person]._replace(address_1="Flat 2 & 3 | The ~Maltings^", person=person)
    (first, *_) = adt.resources([Copy(held)], book, Ids(1, CODE), WHOLE)
    assert row_of(messages_in(str(first.body).encode())[0], 1).message.fact.person["address"][0] == held.address_1


def test_the_dead_are_dead_and_allergies_are_said(sent: Hospital) -> None:
    rows = rows_of(adt.encode("", sent.clean))
    dead = {row.local_id for row in rows if row.message and row.message.fact.person.get("died")}
    true = {
        adt.patient_id(sent.ids, person)
        for person in sent.book.by_person
        if (died := sent.book.death(person, WHOLE.until)) and died + timedelta(days=3) < WHOLE.until
    }
    assert dead == true and true
    said = {record.person for record in sent.clean if "\rAL1|" in str(record.body)}
    known = {row.person for rows in sent.book.by_person.values() for row in rows if row.event == "allergy_recorded"}
    assert said == known and 0 in said
