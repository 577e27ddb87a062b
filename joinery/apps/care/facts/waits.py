"""How long people wait across the place, service by service: counts and days that name nobody.

A wait begins when help is first asked for and goes through every service that it is passed on to, until one begins.
Sums are not rounded here: whoever publishes them hides what is small.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from math import ceil
from operator import itemgetter
from typing import Any, NamedTuple

from joinery.apps.base.columns import as_moment, select, stored
from joinery.apps.base.facts import place_facts, row_facts
from joinery.apps.care.rules import rules_on
from joinery.apps.care.states import STATES
from joinery.apps.place import facts as place
from joinery.calc.units import Period

LATELY_DAYS = 90
UNDER_WAY = "started"
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wait:
    """The waits at one service of those who live in one area (the code of a body; empty: not known).

    `open` counts those who wait now, by state, and `overdue` those of them whose next step is; since help was asked
    for they have waited `age_days`. `under_way` counts those for whom it has begun. Of those for whom it began in the
    last 90 days (`started`), `to_start_days` are from asked to begun. `state_days_median` is how long they stood in
    each state that they left in these days. All days are None of nobody.
    """

    service: str
    service_name: str
    kind_text: str
    area: str
    area_name: str
    open: Mapping[str, int]
    overdue: int
    under_way: int
    age_days_median: float | None
    age_days_p90: float | None
    started: int
    to_start_days_median: float | None
    to_start_days_p90: float | None
    state_days_median: Mapping[str, float]


class _Step(NamedTuple):
    """A step, and what was asked and where; moments as the database gives them, for most are not looked at."""

    referral_id: int
    asked_at: Any
    area: str
    state: str
    service: str
    at: Any
    due_at: Any


@place_facts
def waits(at: datetime, area_level: str = "neighbourhood") -> tuple[Wait, ...]:
    """The waits of the place at a moment, by service and by the bodies of a level in which people live; without a
    level, of everybody at once."""
    tallies: dict[tuple[str, str], _Tally] = defaultdict(_Tally)
    steps = _steps(at - LATELY_DAYS * DAY)
    lives_in = place.boundaries(area_level, place.as_at(at.date())).bodies if steps and area_level else {}
    for story in _stories(steps):
        _count(story, lives_in.get(story[0].area, ""), tallies, at)
    areas = place.organisation_names({area for _, area in tallies if area}, at.date()) if steps else {}
    named = _named(at)
    return tuple(
        tally.wait(service, *named[service], area, areas.get(area, "")) for (service, area), tally in tallies.items()
    )


@place_facts
def service_waits(at: datetime) -> dict[str, float]:
    """Half of those for whom a service began in the last 90 days had waited fewer days than this: by its code."""
    rows = select(
        "SELECT s.code, r.asked_at, w.at FROM care_referralstep w JOIN care_referral r ON r.id = w.referral_id "
        "JOIN care_service s ON s.id = w.service_id WHERE w.at > %s AND w.state = %s AND NOT EXISTS (SELECT 1 FROM "
        "care_referralstep e WHERE e.referral_id = w.referral_id AND e.state = w.state AND e.number < w.number)",
        [stored(at - LATELY_DAYS * DAY), UNDER_WAY],
    )
    waited: dict[str, list[float]] = defaultdict(list)
    for service, asked_at, began_at in rows:
        waited[service].append(_days(as_moment(asked_at), as_moment(began_at)))
    return {service: _rank(days, 0.5) or 0.0 for service, days in waited.items()}


class _Tally:
    """What is counted of one service and area."""

    def __init__(self) -> None:
        self.open: Counter[str] = Counter()
        self.overdue = self.under_way = 0
        self.ages: list[float] = []
        self.to_start: list[float] = []
        self.stood: dict[str, list[float]] = defaultdict(list)

    def wait(self, service: str, name: str, kind_text: str, area: str, area_name: str) -> Wait:
        return Wait(
            service, name, kind_text, area, area_name, dict(self.open), self.overdue, self.under_way,
            _rank(self.ages, 0.5), _rank(self.ages, 0.9), len(self.to_start), _rank(self.to_start, 0.5),
            _rank(self.to_start, 0.9), {state: _rank(days, 0.5) or 0.0 for state, days in self.stood.items()},
        )  # fmt: skip


def _count(story: Sequence[_Step], area: str, tallies: Mapping[tuple[str, str], _Tally], at: datetime) -> None:
    """Count one referral, each of its steps at the service where it was then."""
    since = at - LATELY_DAYS * DAY
    last, asked_at = story[-1], as_moment(story[0].asked_at)
    tally = tallies[last.service, area]
    if last.state == UNDER_WAY:
        tally.under_way += 1
    elif STATES[last.state].waits_for:
        tally.open[last.state] += 1
        tally.overdue += last.due_at is not None and as_moment(last.due_at) <= at
        tally.ages.append(_days(asked_at, at))
    began, entered, entered_at = False, story[0], as_moment(story[0].at)
    for step in story:
        changes = step.state != entered.state or step.service != entered.service
        begins = step.state == UNDER_WAY and not began
        if not changes and not begins:
            continue
        step_at = as_moment(step.at)
        if begins and step_at > since:
            tallies[step.service, area].to_start.append(_days(asked_at, step_at))
        if changes and step_at > since:
            tallies[entered.service, area].stood[entered.state].append(_days(entered_at, step_at))
        if changes:
            entered, entered_at = step, step_at
        began = began or begins


def _days(start: datetime, end: datetime) -> float:
    return (end - start) / DAY


def _rank(days: Iterable[float], share: float) -> float | None:
    """The least number of days within which a share of them lie (nearest rank); None of nobody."""
    ordered = sorted(days)
    return ordered[max(ceil(share * len(ordered)), 1) - 1] if ordered else None


def _steps(since: datetime) -> list[_Step]:
    """Every step of the referrals that are open, or of which there was a step since a moment."""
    rows = select(
        "SELECT r.id, r.asked_at, r.area, w.state, s.code, w.at, w.due_at FROM care_referral r "
        "JOIN care_referralstep w ON w.referral_id = r.id JOIN care_service s ON s.id = w.service_id WHERE r.id IN "
        "(SELECT o.referral_id FROM care_openreferral o UNION SELECT n.referral_id FROM care_referralstep n "
        "WHERE n.at > %s) ORDER BY r.id, w.number",
        [stored(since)],
    )
    return list(map(_Step._make, rows))


def _stories(steps: Iterable[_Step]) -> Iterator[list[_Step]]:
    """The steps of each referral, in their order."""
    return (list(story) for _, story in groupby(steps, key=itemgetter(0)))


def _named(at: datetime) -> dict[str, tuple[str, str]]:
    """The name and the kind, in words, of each service: as last said."""
    rows = select(
        "SELECT s.code, t.name, t.kind FROM care_service s JOIN care_serviceterms t ON t.id = "
        "(SELECT n.id FROM care_serviceterms n WHERE n.service_id = s.id ORDER BY n.from_date DESC, n.id DESC LIMIT 1)"
    )
    kinds = rules_on(at.date()).kinds
    return {code: (name, kinds.get(kind, kind)) for code, name, kind in rows}


@dataclass(frozen=True, slots=True)
class WaitColumns:
    """Referrals as columns of one length, in the order in which they were sent; none says whose care it is.

    `organisation` sent it (a code), `service` is where it is or was in the end, `area` an LSOA or empty. Moments are
    those of the first step to each state, None where there was none; `over_at` when it ended in any way. `services`
    counts those through which it went.
    """

    organisation: list[str]
    service: list[str]
    urgency: list[str]
    area: list[str]
    state: list[str]
    asked_at: list[datetime]
    sent_at: list[datetime]
    acknowledged_at: list[datetime | None]
    accepted_at: list[datetime | None]
    started_at: list[datetime | None]
    over_at: list[datetime | None]
    services: list[int]


@row_facts
def wait_columns(period: Period) -> WaitColumns:
    """The referrals that were sent on the days of a period (by UTC)."""
    start, end = (datetime.combine(day, time(), UTC) for day in (period.start, period.end or date.max))
    rows = select(
        "SELECT r.id, o.code, r.urgency, r.area, r.asked_at, r.at, w.state, s.code, w.at FROM care_referral r "
        "JOIN place_organisation o ON o.id = r.organisation_id JOIN care_referralstep w ON w.referral_id = r.id "
        "JOIN care_service s ON s.id = w.service_id WHERE r.at >= %s AND r.at < %s ORDER BY r.id, w.number",
        [stored(start), stored(end)],
    )
    found = WaitColumns(*([] for _ in range(12)))
    for _, group in groupby(rows, key=lambda row: row[0]):
        _append(found, list(group))
    return found


def _append(columns: WaitColumns, steps: Sequence[tuple[Any, ...]]) -> None:
    """Add one referral, of which these are the steps."""
    _, organisation, urgency, area, asked_at, sent_at, *_ = steps[0]
    first: dict[str, datetime] = {}
    for *_, state, _, at in steps:
        first.setdefault(state, as_moment(at))
    last = steps[-1]
    columns.organisation.append(organisation)
    columns.service.append(last[7])
    columns.urgency.append(urgency)
    columns.area.append(area)
    columns.state.append(last[6])
    columns.asked_at.append(as_moment(asked_at))
    columns.sent_at.append(as_moment(sent_at))
    columns.acknowledged_at.append(first.get("acknowledged"))
    columns.accepted_at.append(first.get("accepted"))
    columns.started_at.append(first.get(UNDER_WAY))
    columns.over_at.append(None if STATES[last[6]].waits_for else as_moment(last[8]))
    columns.services.append(len(dict.fromkeys(step[7] for step in steps)))
