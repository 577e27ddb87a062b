"""Lives that could be real: people, ages, numbers, and events in a sane order."""

from collections import Counter
from dataclasses import fields
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import nhs_number
import pytest

from joinery.site.demo.events import COLUMNS, EVENTS, Event, Events, reference
from joinery.site.demo.histories import histories
from joinery.site.demo.population import People, Person

AS_OF = date(2026, 11, 21)
PAUSES = {"service_paused", "service_resumed"}
ADMINISTRATIVE = {"service_ended", "worker_released", "alert_ended", "medicine_stopped"}
OPENS = {
    "medicine_stopped": "medicine_started",
    "problem_ended": "problem_recorded",
    "service_ended": "service_started",
    "service_paused": "service_started",
    "alert_ended": "alert_raised",
    "assessed": "assessment_started",
    "accepted": "referred",
    "discharged": "arrived",
    "worker_released": "worker_allocated",
}


def test_the_schema_is_one_schema_and_its_page_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "demo-events.md"
    assert page.read_text(encoding="utf-8") == reference()
    assert list(COLUMNS) == list(Event._fields) == [field.name for field in fields(Events)]
    assert list(Person._fields) == [field.name for field in fields(People)]


def test_an_event_outside_the_schema_is_refused() -> None:
    with pytest.raises(ValueError, match="not in the event schema"):
        Events.of([Event(0, datetime(2026, 1, 1, tzinfo=UTC), "abducted", "ZC1")])
    with pytest.raises(ValueError, match="not in the event schema"):
        Events.of([Event(0, datetime(2026, 1, 1, tzinfo=UTC), "contact", "ZC1", "alchemy")])


def test_columns_are_equal_sorted_and_round_trip(place) -> None:
    columns = [getattr(place.events, field.name) for field in fields(Events)]
    assert {len(column) for column in columns} == {len(place.events)}
    assert list(place.events.at) == sorted(place.events.at)
    assert Events.of(place.events.rows()) == place.events


def test_nothing_happens_after_the_as_of_date_or_before_birth(place) -> None:
    latest = datetime.combine(AS_OF, time(0), tzinfo=UTC)
    births = place.people.birth_date
    for row in place.events.rows():
        assert row.at < latest, row
        assert row.at.date() >= births[row.person] - timedelta(days=1), row


def test_after_death_only_what_was_open_is_closed(place) -> None:
    deaths = place.people.death_date
    assert sum(death is not None for death in deaths) >= 5
    for row in place.events.rows():
        death = deaths[row.person]
        if death and row.at.date() > death:
            assert row.event in ADMINISTRATIVE, row


def test_an_episode_opens_before_anything_else_in_it(place) -> None:
    seen: dict[int, set[str]] = {}
    for row in place.events.rows():
        if row.episode >= 0:
            told = seen.setdefault(row.episode, set())
            if row.event in OPENS:
                assert OPENS[row.event] in told, row
            told.add(row.event)


def test_an_episode_belongs_to_one_person(place) -> None:
    owners = {(row.episode, row.person) for row in place.events.rows() if row.episode >= 0}
    assert max(Counter(episode for episode, _ in owners).values()) == 1


def test_nhs_numbers_are_valid_from_the_test_range_and_unique(place) -> None:
    numbers = [number for number in place.people.nhs_number if number]
    assert all(number.startswith("999") and nhs_number.is_valid(number) for number in numbers)
    assert len(set(numbers)) == len(numbers) and "9999999999" not in numbers
    assert 0 < place.people.nhs_number.count("") <= 20


def test_the_mix_of_people(place) -> None:
    rows = place.people.rows()
    ages = [row.age_years(AS_OF) for row in rows]
    assert min(ages) >= 0 and max(ages) <= 105
    assert 0.25 < sum(age >= 66 for age in ages) / len(ages) < 0.55
    twins = Counter((row.household, row.birth_date) for row in rows)
    assert sum(count > 1 for count in twins.values()) >= 1
    namesakes = Counter((row.household, row.given_name, row.family_name) for row in rows)
    assert sum(count > 1 for count in namesakes.values()) >= 1
    known = {code: {row.person for row in place.events.rows() if row.organisation == code} for code in ("ZC1", "999")}
    assert 0.3 < len(known["ZC1"]) / len(rows) < 0.5
    assert 0.18 < len(known["999"]) / len(rows) < 0.32


def test_everyone_is_registered_with_a_practice(place) -> None:
    registered = {row.person for row in place.events.rows() if row.event == "registered"}
    assert registered == set(place.people.person)


def test_mrs_smith_is_always_mrs_smith() -> None:
    for seed, as_of in ((1, AS_OF), (7, date(2027, 2, 2))):
        people, events = histories(20, seed, as_of)
        margaret = people.rows()[0]
        assert (margaret.title, margaret.given_name, margaret.family_name) == ("Mrs", "Margaret", "Smith")
        assert (margaret.preferred_name, margaret.birth_date) == ("Peggy", date(1941, 3, 3))
        assert margaret.nhs_number == "9990001111" and nhs_number.is_valid(margaret.nhs_number)
        told = Counter(row.event for row in events.rows() if row.person == 0)
        assert told["alert_raised"] >= 5 and told["contact"] >= 20 and told["service_started"] == 3


def test_offices_are_closed_at_weekends_in_her_story() -> None:
    for day in range(7):
        _, events = histories(2, 1, AS_OF + timedelta(days=day))
        office = {"assessed", "worker_allocated", "contact_received", "referred"}
        days = {row.at.weekday() for row in events.rows() if row.person == 0 and row.event in office}
        assert days <= {0, 1, 2, 3, 4}


def test_one_life_does_not_shift_another_but_for_stays_in_hospital() -> None:
    """People share the hospital's beds, so its stays may move, and what follows from them: the letter, care paused."""
    few_people, few = histories(60, 1, AS_OF)
    more_people, more = histories(90, 1, AS_OF)
    # The last household of the smaller place may be cut short; everybody well before it lives the same life.
    assert few_people.rows()[:50] == more_people.rows()[:50]
    lives = [
        [
            row._replace(episode=0)
            for row in events.rows()
            if row.person < 50 and row.organisation != "ZH1" and row.code != "letter" and row.event not in PAUSES
        ]
        for events in (few, more)
    ]
    assert lives[0] == lives[1] and len(lives[0]) > 500


def test_too_few_people_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two people"):
        histories(1, 1, AS_OF)


def test_events_name_only_known_kinds() -> None:
    assert all(kind.meaning for kind in EVENTS.values())
