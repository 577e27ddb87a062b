"""A diary: one person's events while their life is being made up."""

import random
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from joinery.site.demo.events import NO_EPISODE, Event
from joinery.site.demo.population import Person

LONDON = ZoneInfo("Europe/London")
EPISODES_PER_PERSON = 10_000  # so that one more event in one life leaves every other life's numbers alone


class Diary:
    """Collects events of one person; knows the last day that may be written about."""

    def __init__(self, person: Person, as_of: date) -> None:
        self.person = person
        self.as_of = as_of
        self.last_day = as_of - timedelta(days=1)
        self.rows: list[Event] = []
        self._episodes = 0

    def episode(self) -> int:
        """A new episode number, unique in the place."""
        self._episodes += 1
        return self.person.person * EPISODES_PER_PERSON + self._episodes

    def write(
        self,
        at: datetime,
        event: str,
        organisation: str,
        service: str = "",
        code: str = "",
        value: str = "",
        episode: int = NO_EPISODE,
    ) -> int:
        """Add one event and return its episode; anything after the last day has not happened and is left out."""
        if at.date() <= self.last_day:
            self.rows.append(Event(self.person.person, at, event, organisation, service, code, value, episode))
        return episode

    def age_years(self) -> int:
        """Age on the as-of date."""
        return self.person.age_years(self.as_of)

    def days_ago(self, days: int) -> date:
        """The date some days before the as-of date, but not in the first days of life."""
        return max(self.as_of - timedelta(days=days), self.person.birth_date + timedelta(days=5))


def at_clock(day: date, hour: int, minute: int = 0) -> datetime:
    """A time on the wall clock in England, as UTC."""
    return datetime.combine(day, time(hour, minute), tzinfo=LONDON).astimezone(UTC)


def in_hours(rng: random.Random, day: date) -> datetime:
    """Some five-minute mark between 8:30am and 5:55pm."""
    minutes = 510 + 5 * rng.randrange(114)
    return at_clock(day, minutes // 60, minutes % 60)


def working_day(day: date) -> date:
    """The day itself, or the Friday before a weekend."""
    return day - timedelta(days=max(0, day.weekday() - 4))
