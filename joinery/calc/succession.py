"""Bodies end and others take over: where things held through them go on, and who may still see whom.

A body passes *wholly* when it ends with one successor that takes all of it. After a split, what was
held through the body waits until a person decides, or an area decides for it. So it does at bodies
that are said to have passed into one another in a ring: one of those sayings is wrong.

Access through a reorganisation rests on one rule. A membership and a relationship meet when, on the
day the younger of the two began, both stood at the same body. What meets stays together; what was
apart and is brought together only by a merger does not meet. So a reorganisation takes no access
away and gives none: only a membership or a relationship made later does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

EARLIEST = date.min


@dataclass(frozen=True, slots=True)
class Edge:
    """On a day, `successor` took over `body`: all of it, or a part (`areas` where they are known)."""

    body: str
    successor: str
    on: date
    whole: bool = True
    areas: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reach:
    """Relationships with `organisation` that began from one day up to, not including, another."""

    organisation: str
    from_date: date = EARLIEST
    to_date: date | None = None

    def holds(self, organisation: str, began: date) -> bool:
        """True when a relationship with this organisation that began then is reached."""
        return (
            organisation == self.organisation
            and self.from_date <= began
            and (self.to_date is None or began < self.to_date)
        )


@dataclass(frozen=True, slots=True)
class Step:
    """Something stands at `body` from this day on, until the next step."""

    body: str
    from_date: date


@dataclass(frozen=True)
class Lineage:
    """Which bodies ended (`ends`: first day on which each is no more) and what took over from them."""

    ends: Mapping[str, date]
    edges: tuple[Edge, ...]
    _onward: dict[str, list[Edge]] = field(init=False, repr=False, compare=False)
    _passes: dict[str, Step] = field(init=False, repr=False, compare=False)
    _came: dict[str, list[tuple[str, date]]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        onward: dict[str, list[Edge]] = defaultdict(list)
        for edge in self.edges:
            onward[edge.body].append(edge)
        passes = {body: step for body, edges in onward.items() if (step := self._whole(body, edges))}
        for body in _in_rings(passes):
            del passes[body]
        came: dict[str, list[tuple[str, date]]] = defaultdict(list)
        for body, step in passes.items():
            came[step.body].append((body, step.from_date))
        for name, value in (("_onward", dict(onward)), ("_passes", passes), ("_came", dict(came))):
            object.__setattr__(self, name, value)

    def _whole(self, body: str, edges: list[Edge]) -> Step | None:
        end = self.ends.get(body)
        if end is None:
            return None
        # A part that was given away earlier says nothing of what was left at the end.
        last = max(edge.on for edge in edges)
        final = [edge for edge in edges if edge.on == last]
        if len({edge.successor for edge in final}) != 1 or not all(edge.whole for edge in final):
            return None
        return Step(final[0].successor, max(end, last))

    def passes(self, body: str) -> Step | None:
        """Where all of a body went, and when; None when it has not ended, or has no plain successor."""
        return self._passes.get(body)

    def ended(self, body: str, on: date) -> bool:
        """True when the body is no more on a day."""
        end = self.ends.get(body)
        return end is not None and end <= on

    def heir(self, body: str, on: date, about: frozenset[str] = frozenset()) -> str | None:
        """The body that stands where `body` stood, on a day; None when nobody has decided.

        `about` names the areas that the question is about: they decide which part of a split counts.
        A body that has not ended by then is its own heir.
        """
        seen: set[str] = set()
        while self.ended(body, on):
            if body in seen:
                return None
            seen.add(body)
            step = self._passes.get(body)
            if step and step.from_date <= on:
                body = step.body
                continue
            parts = [e for e in self._onward.get(body, ()) if e.on <= on and e.areas & about]
            takers = {e.successor for e in parts if e.on == max(part.on for part in parts)}
            if len(takers) != 1:
                return None
            body = takers.pop()
        return body

    def line(self, body: str, decided: Mapping[str, Step] | None = None) -> tuple[Step, ...]:
        """Where what is held at `body` stands in the course of time; `decided` answers for splits."""
        decided = decided or {}
        steps, seen = [Step(body, EARLIEST)], {body}
        # What passes wholly leaves nothing to decide, even if it did before a source was corrected.
        while (step := self._passes.get(steps[-1].body) or decided.get(steps[-1].body)) and step.body not in seen:
            seen.add(step.body)
            steps.append(Step(step.body, max(step.from_date, steps[-1].from_date)))
        return tuple(steps)

    def arrivals(self, body: str) -> dict[str, date]:
        """The bodies that passed wholly into `body`, itself included, and the day on which each arrived."""
        found = {body: EARLIEST}
        todo = [body]
        while todo:
            here = todo.pop()
            for earlier, day in self._came.get(here, ()):
                if earlier not in found:
                    found[earlier] = max(day, found[here])
                    todo.append(earlier)
        return found

    def before(self, body: str) -> set[str]:
        """The bodies of which anything ever came to `body`, itself excepted."""
        found: set[str] = set()
        todo = {body}
        while todo:
            todo = {edge.body for edge in self.edges if edge.successor in todo} - found - {body}
            found |= todo
        return found

    def reach(self, body: str, given: date, decided: Mapping[str, Step] | None = None) -> tuple[Reach, ...]:
        """The relationships that a membership given at `body` on a day meets (see the module's rule)."""
        line = self.line(body, decided)
        found: dict[str, list[tuple[date, date | None]]] = defaultdict(list)
        for step, following in zip(line, (*line[1:], None), strict=True):
            until = following.from_date if following else None
            since = max(step.from_date, given)
            if until is not None and until <= since:
                continue
            given_here = step.from_date <= given
            for earlier, arrived in self.arrivals(step.body).items():
                if given_here and arrived <= given:
                    found[earlier].append((EARLIEST, until))
                elif until is None or max(since, arrived) < until:
                    found[earlier].append((max(since, arrived), until))
        return tuple(Reach(o, *window) for o in sorted(found) for window in _joined(found[o]))


def _in_rings(passes: Mapping[str, Step]) -> set[str]:
    """Bodies from which the passing on leads back to themselves."""
    found = set()
    for body in passes:
        way = [body]
        while (step := passes.get(way[-1])) and step.body not in way:
            way.append(step.body)
        if step and step.body == body:
            found.add(body)
    return found


def _joined(windows: Iterable[tuple[date, date | None]]) -> list[tuple[date, date | None]]:
    """Windows in order, those that touch made one."""
    joined: list[tuple[date, date | None]] = []
    for start, end in sorted(windows, key=lambda w: w[0]):
        if joined and (joined[-1][1] is None or start <= joined[-1][1]):
            before = joined.pop()
            end = None if before[1] is None or end is None else max(before[1], end)
            start = before[0]
        joined.append((start, end))
    return joined
