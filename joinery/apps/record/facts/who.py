"""Who a person is, as their sources say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.columns import marks, select
from joinery.apps.base.facts import person_facts, place_facts
from joinery.apps.record.people import Known, PersonRecords, first, people_of, postcode_in, records_of
from joinery.apps.record.sql import details, links
from joinery.calc.access import may_read
from joinery.calc.units import age_years

GENDERS = {"male": "Male", "female": "Female", "other": "Other", "unknown": "Not known", "": "Not known"}


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """One line of a search result."""

    person_id: str
    name: str
    birth_date: date | None
    age_years: int | None
    nhs_number: str | None
    address: str
    gender_text: str


@dataclass(frozen=True, slots=True)
class Banner:
    """Who this is: the same at the top of every page about a person."""

    person_id: str
    name: str
    title: str
    preferred_name: str | None
    birth_date: date | None
    age_years: int | None
    death_date: date | None
    dead: bool
    gender_text: str
    nhs_number: str | None
    address_lines: tuple[str, ...]
    address_withheld: bool


@person_facts
def records(viewing: Viewing) -> PersonRecords:
    """The source records linked to the person of the viewing, best source first."""
    return people_of([viewing.person_id], viewing.at.date()).get(viewing.person_id, PersonRecords(()))


@person_facts
def found_people(viewing: Viewing) -> tuple[FoundPerson, ...]:
    """The people of a list viewing, by name."""
    found = []
    for person_id, known in records_of(viewing.person_ids, viewing.at.date()).items():
        who = _banner(viewing, person_id, known)
        found.append(
            FoundPerson(
                person_id, _full_name(who.name, who.title), who.birth_date, who.age_years, who.nhs_number,
                "Withheld" if who.address_withheld else ", ".join(who.address_lines), who.gender_text,
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda person: (person.name, str(person.birth_date))))


@person_facts
def banner(viewing: Viewing, of: PersonRecords) -> Banner:
    """Who the person of the viewing is, each field from the best source that states it."""
    return _banner(viewing, viewing.person_id, of.known)


def _banner(viewing: Viewing, person_id: str, known: Sequence[Known]) -> Banner:
    born, died = first(known, "birth_date"), first(known, "death_date")
    hidden = any(k.restricted and not may_read("address", k.organisation, viewing.decision) for k in known)
    return Banner(
        person_id=person_id,
        name=_name(known),
        title=first(known, "title"),
        preferred_name=first(known, "preferred_name") or None,
        birth_date=born,
        age_years=age_years(born, died or viewing.at.date()) if born else None,
        death_date=died,
        dead=any(k.dead for k in known),
        gender_text=GENDERS.get(first(known, "gender").lower(), "Not known"),
        nhs_number=first(known, "nhs_number") or None,
        address_lines=() if hidden else first(known, "address"),
        address_withheld=hidden,
    )


def _name(known: Sequence[Known]) -> str:
    name = f"{first(known, 'family_name').upper()}, {first(known, 'given_name')}".strip(", ")
    return name or ("Name withheld" if any(k.name_sealed for k in known) else "")


@person_facts
def home_postcode(viewing: Viewing, of: PersonRecords) -> str | None:
    """The postcode of the address on the banner; None when there is none, or it is withheld."""
    return postcode_in(_banner(viewing, viewing.person_id, of.known).address_lines)


def _full_name(name: str, title: str) -> str:
    """`SMITH, Margaret (Mrs)`, as on a wristband (DSCN 04/2009)."""
    return f"{name} ({title})" if title else name


@person_facts
def kept_apart(viewing: Viewing, of: PersonRecords) -> int:
    """How many other people hold this person's NHS number with details that do not agree."""
    numbers = sorted({k.nhs_number for k in of.known if k.nhs_number})
    if not numbers:
        return 0
    sql = (
        f"SELECT COUNT(DISTINCT k.person_id) FROM {details()} JOIN {links(on='k.record_id = d.record_id')} "
        # SQLite uses the index on numbers, which leaves out the empty one, only when told so.
        f"WHERE NOT (d.nhs_number = '') AND d.nhs_number IN ({marks(numbers)}) AND k.person_id <> %s"
    )
    return int(select(sql, [*numbers, viewing.person_id])[0][0])


@dataclass(frozen=True, slots=True)
class Holdings:
    """How much a deployment holds: for the command line, `/healthz` and the demo."""

    people: int
    items: int
    submissions: int
    waiting_records: int


@place_facts
def holdings() -> Holdings:
    """Counts over the whole place; `waiting_records` are people whose lines came before they did."""
    (counts,) = select(
        f"SELECT (SELECT COUNT(DISTINCT k.person_id) FROM {links()}), "
        "(SELECT COUNT(DISTINCT v.item_id) FROM record_itemversion v "
        "JOIN record_submission vs ON vs.id = v.submission_id AND vs.published_at IS NOT NULL), "
        "(SELECT COUNT(*) FROM record_submission WHERE published_at IS NOT NULL), "
        "(SELECT COUNT(DISTINCT e.record_id) FROM record_entry e "
        "JOIN record_submission es ON es.id = e.submission_id AND es.published_at IS NOT NULL "
        "WHERE NOT EXISTS (SELECT 1 FROM record_link m "
        "JOIN record_submission ms ON ms.id = m.submission_id AND ms.published_at IS NOT NULL "
        "WHERE m.record_id = e.record_id))"
    )
    return Holdings(*counts)


@place_facts
def files_taken() -> int:
    """How many files of records were taken."""
    return int(select("SELECT COUNT(*) FROM record_submission WHERE published_at IS NOT NULL")[0][0])
