"""The defects of real submissions, made on purpose at stated rates, with every one written down.

Two kinds. A source holds its own, partly wrong, copy of who a person is (`copies`); and a file carries records
that are invalid, repeated, late or missing (`spoil`, `next_day`). Mrs Smith, person 0, is never touched. Rates
are in `definitions/demo/defects.toml`.
"""

import json
import random
import string
from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

from joinery.site.demo import cases, names
from joinery.site.demo.events import NOBODY, definitions
from joinery.site.demo.population import Person
from joinery.site.demo.writers import Change, Copy, Record

NEVER_TOUCHED = (NOBODY, 0)
DUMMY_NUMBERS = ("9999999999", "0000000000")  # both pass the check digit
LATE_ROWS = 3
SENT_AGAIN = 5

# Where each resource type says when it happened, and which types have a status that must be on a list.
FHIR_DATES = {
    "Condition": "recordedDate",
    "Observation": "effectiveDateTime",
    "MedicationRequest": "authoredOn",
    "Immunization": "occurrenceDateTime",
}
FHIR_STATUSES = ("Encounter", "Observation", "MedicationRequest", "Immunization")


class Defect(NamedTuple):
    """A defect in the record of a kind with a local id; the file it went to is looked up when files are packed."""

    kind: str
    local_id: str
    change: Change


def copies(
    people: list[Person], chosen: list[int], organisation: str, rates: dict[str, float], seed: int
) -> list[Copy]:
    """What one source believes of each of its people, and the few it holds twice."""
    held = []
    for person in chosen:
        if told := cases.told(person, len(people)):
            held.append(_told_copy(people[person], people[person - 1], organisation, told))
            continue
        rng = random.Random(f"{seed}/copies/{organisation}/{person}")
        number_of_next = people[(person + 1) % len(people)].nhs_number
        held.append(_copy(people[person], 0, rates, rng, number_of_next))
        if rng.random() < rates["duplicate"] and person not in NEVER_TOUCHED:
            held.append(_copy(people[person], 1, rates, rng, number_of_next))
    return held


def _copy(true: Person, number: int, rates: dict[str, float], rng: random.Random, number_of_next: str) -> Copy:
    """One copy, with a change for every field that is not as it should be."""
    if true.person in NEVER_TOUCHED:
        return Copy(true)
    wrong = true
    touched: dict[str, list[str]] = {}
    for defect, make in DETAIL_DEFECTS.items():
        if rng.random() >= rates[defect]:
            continue
        before, wrong = wrong, make(wrong, rng, rates, number_of_next)
        for field in Person._fields:
            if getattr(before, field) != getattr(wrong, field):
                touched.setdefault(field, []).append(defect)
    changes = [
        Change("+".join(defects), field, _text(getattr(true, field)), _text(getattr(wrong, field)))
        for field, defects in touched.items()
    ]
    changes += [Change("duplicate", "", "", "")] if number else []
    return Copy(wrong, number, tuple(change for change in changes if change.was != change.now or number))


def _told_copy(true: Person, before: Person, organisation: str, told: cases.Told) -> Copy:
    """The copy that is told of somebody who is easily mistaken. To use other lists of codes is no defect."""
    wrong = cases.held(true, before, organisation, told)
    changes = [
        Change(told.case, field, _text(was), _text(now))
        for field, was, now in zip(Person._fields, true, wrong, strict=True)
        if was != now and field != "ethnicity"
    ]
    return Copy(wrong, 0, tuple(changes))


def _text(value: Any) -> str:
    """A detail as it stands in a file: nothing for what is not known."""
    return "" if value in (None, "unknown") else str(value)


def _typo(text: str, rng: random.Random) -> str:
    """Insert, delete, replace or swap one letter: never the first, never in a text under three letters."""
    if len(text) < 3:
        return text
    at, letter = rng.randrange(1, len(text)), rng.choice(string.ascii_lowercase)
    how = rng.randrange(4)
    if how == 0:
        return text[:at] + letter + text[at:]
    if how == 1:
        return text[:at] + text[at + 1 :]
    if how == 2:
        return text[:at] + letter + text[at + 1 :]
    at = min(at, len(text) - 2)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _nickname(person: Person, rng: random.Random, *_: Any) -> Person:
    short = names.nicknames(person.given_name)
    return person._replace(given_name=rng.choice(short)) if short else person


def _day_month_swapped(person: Person, *_: Any) -> Person:
    birth = person.birth_date
    return person._replace(birth_date=date(birth.year, birth.day, birth.month)) if birth.day <= 12 else person


def _birth_date_part(person: Person, rng: random.Random, *_: Any) -> Person:
    birth, part = person.birth_date, rng.randrange(3)
    if part == 0:
        years = rng.choice([step for step in (-10, -1, 1, 10) if birth.year + step < 2000 or step < 0])
        return person._replace(birth_date=birth.replace(year=birth.year + years, day=min(birth.day, 28)))
    if part == 1:
        return person._replace(birth_date=birth.replace(day=rng.randint(1, 28)))
    return person._replace(birth_date=birth.replace(month=rng.randint(1, 12), day=min(birth.day, 28)))


def _old_address(person: Person, rng: random.Random, *_: Any) -> Person:
    line, postcode = names.address(rng)
    return person._replace(address_1=line, postcode=postcode)


def _wrong_digits(person: Person, rng: random.Random, *_: Any) -> Person:
    """Two neighbours swapped, and half the time one digit keyed at random too."""
    digits = list(person.nhs_number)
    if digits:
        at = rng.randrange(3, 9)
        digits[at], digits[at + 1] = digits[at + 1], digits[at]
        if rng.random() < 0.5:
            digits[rng.randrange(3, 10)] = str(rng.randrange(10))
    return person._replace(nhs_number="".join(digits))


def _number_missing(person: Person, rng: random.Random, rates: dict[str, float], _: str) -> Person:
    dummy = rng.random() < rates["of_missing_dummy"]
    return person._replace(nhs_number=rng.choice(DUMMY_NUMBERS) if dummy else "")


# In the order in which they are made; each takes (person, generator, rates, the next person's number).
DETAIL_DEFECTS: dict[str, Callable[..., Person]] = {
    "nickname": _nickname,
    "surname_changed": lambda p, rng, *_: p._replace(family_name=names.family_name(rng, p.ethnicity)),
    "forename_typo": lambda p, rng, *_: p._replace(given_name=_typo(p.given_name, rng)),
    "surname_typo": lambda p, rng, *_: p._replace(family_name=_typo(p.family_name, rng)),
    "initial_only": lambda p, *_: p._replace(given_name=p.given_name[0]),
    "names_swapped": lambda p, *_: p._replace(given_name=p.family_name, family_name=p.given_name),
    "day_month_swapped": _day_month_swapped,
    "birth_date_part_wrong": _birth_date_part,
    "birth_date_default": lambda p, *_: p._replace(birth_date=p.birth_date.replace(month=1, day=1)),
    "birth_date_missing": lambda p, *_: p._replace(birth_date=None),
    "old_address": _old_address,
    "postcode_typo": lambda p, rng, *_: p._replace(postcode=_typo(p.postcode, rng).upper()),
    "postcode_missing": lambda p, *_: p._replace(postcode=""),
    "nhs_number_wrong": _wrong_digits,
    "nhs_number_of_another": lambda p, rng, rates, other: p._replace(nhs_number=other),
    "nhs_number_missing": _number_missing,
    "gender_missing": lambda p, *_: p._replace(gender="unknown"),
}


def spoil(records: list[Record], organisation: str, rng: random.Random) -> tuple[list[Record], list[Defect]]:
    """A first submission with invalid and repeated records, and allergies a practice did not send."""
    rates = definitions("defects")["records"]
    records, defects = list(records), list[Defect]()
    if organisation.startswith("Z9"):
        records, defects = _without_allergies(records, rates["allergies_not_sent"], rng)
    whole = set(range(len(records)))  # nothing is broken twice
    for name, (kinds, field, now) in _breaks(organisation).items():
        count = max(1, round(rates["invalid"] * len(records)))
        for at in _choose(records, kinds, count, rng, whole):
            whole.discard(at)
            records[at], defect = _broken(records[at], name, field, now)
            defects.append(defect)
    if not organisation.startswith("ZC"):  # a Bundle may not hold one fullUrl twice
        count = max(1, round(rates["repeated"] * len(records)))
        for at in sorted(_choose(records, (), count, rng, whole), reverse=True):
            records.insert(at, records[at])
            defects.append(Defect(records[at].kind, records[at].local_id, Change("repeated", "", "", "")))
    return records, defects


def _breaks(organisation: str) -> dict[str, tuple[tuple[str, ...], str, str]]:
    """Ways to break one record: name -> (kinds it suits, field, what is sent instead)."""
    if organisation == "999":
        return {
            "uk_style_date": (("service",), "start_date", "31/02/2026"),
            "unknown_code": (("assessment",), "eligible", "Yes"),
            "required_missing": (("contact",), "received_at", ""),
        }
    breaks = {
        "unknown_field": (tuple(FHIR_DATES), "localStatusFlag", "A7"),
        "bad_status": (FHIR_STATUSES, "status", "done"),
        "thirtieth_of_february": (tuple(FHIR_DATES), "", "2026-02-30"),
    }
    if organisation == "Z90002":
        breaks["not_json"] = (("Observation",), "", "")
    return breaks


def _choose(
    records: list[Record], kinds: tuple[str, ...], count: int, rng: random.Random, among: set[int] | None = None
) -> list[int]:
    """Positions of some records that may be touched, of any kind but a person's own details if none is named."""
    fit = [
        at
        for at, record in enumerate(records)
        if record.person not in NEVER_TOUCHED
        and (among is None or at in among)
        and (record.kind in kinds if kinds else record.kind not in ("Patient", "person"))
    ]
    return rng.sample(fit, min(count, len(fit)))


def _broken(record: Record, name: str, field: str, now: str) -> tuple[Record, Defect]:
    """The record with one thing wrong."""
    assert isinstance(record.body, dict)
    if name == "not_json":
        text = json.dumps(record.body, ensure_ascii=False)
        return record._replace(body=text[: len(text) * 2 // 3]), Defect(
            record.kind, record.local_id, Change(name, "", "", "")
        )
    field = field or FHIR_DATES[record.kind]
    change = Change(name, field, str(record.body.get(field, "")), now)
    return record._replace(body=record.body | {field: now}), Defect(record.kind, record.local_id, change)


def _without_allergies(records: list[Record], rate: float, rng: random.Random) -> tuple[list[Record], list[Defect]]:
    """Leave out everything about allergies for a few patients, even where there are some: the dangerous case."""
    patients = [record for record in records if record.kind == "Patient" and record.person not in NEVER_TOUCHED]
    unsent = [record for record in patients if rng.random() < rate] or patients[:1]
    silent = {record.person for record in unsent}
    kept = [
        record for record in records if record.person not in silent or record.kind not in ("List", "AllergyIntolerance")
    ]
    return kept, [Defect("Patient", record.local_id, Change("allergies_not_sent", "", "", "")) for record in unsent]


def next_day(
    second: list[Record], first: list[Record], older: list[Record], rng: random.Random
) -> tuple[list[Record], list[Defect]]:
    """The next submission with rows sent again unchanged, older rows arriving late, and rows withdrawn.

    `first` is what was sent the day before, `older` the same source as it stood weeks ago. In a council's full
    extract everything is sent again anyway, so there two rows are withdrawn instead.
    """
    now = {(record.kind, record.local_id): record for record in first}
    stale = [
        record
        for record in older
        if record.person not in NEVER_TOUCHED
        and record.kind != "Patient"
        and (current := now.get((record.kind, record.local_id)))
        and current.updated_at > record.updated_at
    ]
    late = rng.sample(stale, min(LATE_ROWS, len(stale)))
    defects = [Defect(r.kind, r.local_id, Change("late_older", "", "", "")) for r in late]
    if any(record.kind == "person" for record in second):
        withdrawn = _choose(second, ("contact",), 2, rng)
        defects += [
            Defect("contact", second[at].local_id, Change("withdrawn", "deleted", "0", "1")) for at in withdrawn
        ]
        second = [_withdrawn(r) if at in withdrawn else r for at, r in enumerate(second)]
        return [*second, *late], defects
    sent = {(record.kind, record.local_id) for record in [*second, *late]}
    fresh = [record for record in first if (record.kind, record.local_id) not in sent]
    again = [fresh[at] for at in _choose(fresh, (), SENT_AGAIN, rng)]
    defects += [Defect(r.kind, r.local_id, Change("sent_again", "", "", "")) for r in again]
    # References inside a Bundle need their Patient beside them.
    there = {record.person for record in second}
    absent = {record.person for record in [*late, *again]} - there
    patients = [record for record in first if record.kind == "Patient" and record.person in absent]
    return sorted([*second, *patients, *late, *again], key=lambda r: (r.person, r.kind != "Patient")), defects


def _withdrawn(record: Record) -> Record:
    """The row marked as deleted at its source."""
    assert isinstance(record.body, dict)
    return record._replace(body=record.body | {"deleted": "1"})
