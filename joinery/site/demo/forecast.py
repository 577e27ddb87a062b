"""A run of the twin, told person by person in the events of the demonstration.

So a forecast can be written as feeds, taken in and measured like what has happened.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from joinery.calc.twin.network import Place
from joinery.calc.twin.simulate import log
from joinery.calc.twin.world import LOG_EVENTS
from joinery.site.demo.diary import EPISODES_PER_PERSON
from joinery.site.demo.events import NO_EPISODE, Event, Events, definitions

# The twin says what somebody waited for when they get it: so it runs on until nearly all who wait have it.
LOOK_AHEAD_DAYS = 180
# Of the NHS Data Dictionary: discharge destinations and methods, and emergency admission through the department.
TO_HOME, HAS_DIED = "19", "79"
BY_CLINICIAN, BY_DEATH = "1", "4"
EMERGENCY = "21"


@dataclass(frozen=True)
class Forecast:
    """What a place would send. People are numbered as they appear; `bands` has the band of each, by position."""

    events: Events
    bands: tuple[int, ...]


class _Step(NamedTuple):
    """What the log tells of a person at a time, and of whoever leaves or is ready, what comes next and where."""

    at: datetime
    what: str
    station: str
    next_what: str
    next_station: str


def forecast(place: Place, days: int, seed: int = 1, rep: int = 0, plain: bool = False) -> Forecast:
    """The events of one replication: the same people, stays and waits as in `simulate.run`.

    A day of the run is one of universal time, which has 24 hours even when the clocks change; seconds are cut off.
    `plain` as in `simulate.log`: for a small place.
    Raises ValueError for a station that is not in definitions/demo/forecast.toml.
    """
    services = definitions("forecast")
    if unknown := [each.name for each in place.stations if each.name not in services]:
        raise ValueError(f"{', '.join(unknown)}: no such station in definitions/demo/forecast.toml")
    end = _midnight(place) + timedelta(days=days)
    rows: list[Event] = []
    bands: list[int] = []
    for band, steps in _people(place, days, seed, rep, plain):
        story = _Story(len(bands), services)
        for step in steps:
            story.tell(step)
        told = [row for row in story.rows if row.at < end]
        if told:
            rows += told
            bands.append(band)
    return Forecast(Events.of(rows), tuple(bands))


def _people(place: Place, days: int, seed: int, rep: int, plain: bool) -> Iterator[tuple[int, list[_Step]]]:
    """The band and the steps of each person of the log, those who come first first."""
    told, start = log(place, days + LOOK_AHEAD_DAYS, seed, rep, plain), _midnight(place)
    columns = zip(
        told.person.tolist(), told.days.tolist(), told.what.tolist(), told.station.tolist(), told.band.tolist(),
        strict=True,
    )  # fmt: skip
    # The sort is stable, so each person's steps stay in order of time.
    for _, group in groupby(sorted(columns, key=lambda row: row[0]), key=lambda row: row[0]):
        rows = list(group)
        steps = []
        for number, (_, day, what, at, _) in enumerate(rows):
            # Whoever is ready leaves before anything else is told of them.
            after = next((row for row in rows[number + 1 :] if LOG_EVENTS[row[2]] not in ("ready", "left")), None)
            minute = start + timedelta(minutes=int(day * 24 * 60 // 1))
            next_what, next_at = (LOG_EVENTS[after[2]], after[3]) if after else ("", at)
            steps.append(_Step(minute, LOG_EVENTS[what], place.names[at], next_what, place.names[next_at]))
        yield rows[0][4], steps


def _midnight(place: Place) -> datetime:
    """When the run starts."""
    return datetime.combine(place.start_date, time(0), tzinfo=UTC)


class _Story:
    """One person's events, as the services that they meet would tell them."""

    def __init__(self, person: int, services: dict[str, Any]) -> None:
        self.person = person
        self.services = services
        self.rows: list[Event] = []
        self._episodes = 0
        # The stay, or the request for care and then the care itself, that is going on.
        self._asked = self._open = NO_EPISODE

    def tell(self, step: _Step) -> None:
        """Add what services write down of a step."""
        match step.what:
            case "arrived" | "returned":
                self._ask(step.at, step.station)
            case "started":
                self._start(step.at, step.station)
            case "ready":
                self._ready(step)
            case "left":
                self._leave(step)
            case "turned_away":
                self._refuse(step)
            case "died":
                self._write(step.at, "died", self.services.get(step.station, {}).get("organisation", ""), "", "")

    def _ask(self, at: datetime, station: str) -> None:
        service = self.services[station]
        self._asked = self._episode()
        if door := service.get("door"):
            self._write(at, "arrived", service["organisation"], door, "ambulance", "", self._asked)
        else:
            self._write(at, "referred", service["organisation"], service["service"], "routine", "", self._asked)

    def _start(self, at: datetime, station: str) -> None:
        service = self.services[station]
        where = service["organisation"], service["service"]
        if self._asked == NO_EPISODE:  # in the place from the start
            self._ask(at, station)
        if "door" not in service:
            self._write(at, "accepted", *where, "", "", self._asked)
        if "component" in service:
            self._open = self._episode()
            self._write(at, "service_started", *where, service["component"], service["amount"], self._open)
        else:
            self._open = self._asked
            self._write(at, "admitted", *where, EMERGENCY if "door" in service else "", "", self._open)
        self._asked = NO_EPISODE

    def _ready(self, step: _Step) -> None:
        """Whoever is ready for another service has asked for it; until it starts, they are where they were."""
        service = self.services[step.station]
        onto = self.services[step.next_station] if step.next_what == "started" else None
        if "component" not in service:
            waits_for = onto["service"] if onto else "home"
            self._write(step.at, "ready", service["organisation"], service["service"], waits_for, "", self._open)
        if onto:
            self._ask(step.at, step.next_station)

    def _leave(self, step: _Step) -> None:
        service, died = self.services[step.station], step.next_what == "died"
        where = service["organisation"], service["service"]
        if "component" in service:
            code, words = ("died", "NFA: Deceased") if died else ("as_planned", "Support ended as planned")
            self._write(step.at, "service_ended", *where, code, words, self._open)
        else:
            onto = self.services[step.next_station]["destination"] if step.next_what == "started" else TO_HOME
            code, method = (HAS_DIED, BY_DEATH) if died else (onto, BY_CLINICIAN)
            self._write(step.at, "discharged", *where, code, method, self._open)
        self._open = NO_EPISODE

    def _refuse(self, step: _Step) -> None:
        service = self.services[step.station]
        if door := service.get("door"):
            self._write(step.at, "discharged", service["organisation"], door, TO_HOME, BY_CLINICIAN, self._asked)
        else:
            self._write(step.at, "declined", service["organisation"], service["service"], "full", "", self._asked)
        self._asked = NO_EPISODE

    def _episode(self) -> int:
        self._episodes += 1
        return self.person * EPISODES_PER_PERSON + self._episodes

    def _write(
        self, at: datetime, event: str, organisation: str, service: str, code: str, value: str = "",
        episode: int = NO_EPISODE,
    ) -> None:  # fmt: skip
        self.rows.append(Event(self.person, at, event, organisation, service, code, value, episode))
