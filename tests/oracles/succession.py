"""Where things stand when bodies end, worked out slowly: walkers that go from body to body, day by day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from joinery.calc.succession import Edge, Step

Passes = dict[str, tuple[str, date]]


def passes(ends: Mapping[str, date], edges: Iterable[Edge]) -> Passes:
    """Where the whole of each body went, and from which day on. What goes round in a ring went nowhere."""
    plain = {body: step for body in ends if (step := _plainly(body, ends, list(edges)))}
    return {body: step for body, step in plain.items() if not _goes_round(body, plain)}


def _plainly(body: str, ends: Mapping[str, date], edges: list[Edge]) -> tuple[str, date] | None:
    """One successor of all of it on the last day on which it had any."""
    mine = [edge for edge in edges if edge.body == body]
    if not mine:
        return None
    last = max(edge.on for edge in mine)
    final = [edge for edge in mine if edge.on == last]
    if any(not edge.whole or edge.successor != final[0].successor for edge in final):
        return None
    return final[0].successor, max(last, ends[body])


def _goes_round(body: str, plain: Passes) -> bool:
    here = body
    for _ in plain:
        if here not in plain:
            return False
        here = plain[here][0]
        if here == body:
            return True
    return False


def stands(passed: Passes, body: str, on: date, decided: Mapping[str, Step] | None = None) -> str:
    """Where a walker that set out from a body stands on a day; `decided` tells it where to go on where all did not."""
    onward = {was: (step.body, step.from_date) for was, step in (decided or {}).items()} | passed
    here, been = body, {body}
    for today in sorted({day for _, day in onward.values() if day <= on}):
        while here in onward and onward[here][1] <= today and onward[here][0] not in been:
            here = onward[here][0]
            been.add(here)
    return here


def comes_back(passed: Passes, body: str, decided: Mapping[str, Step]) -> bool:
    """True when decisions lead back to a body that was left."""
    onward = {was: step.body for was, step in decided.items()} | {was: step[0] for was, step in passed.items()}
    here, been = body, [body]
    while here in onward:
        here = onward[here]
        if here in been:
            return True
        been.append(here)
    return False


def heir(
    ends: Mapping[str, date], edges: Iterable[Edge], body: str, on: date, about: frozenset[str] = frozenset()
) -> str | None:
    """The body that stands where a body stood, by the areas that are asked about; None where nobody has decided."""
    edges = list(edges)
    passed, been = passes(ends, edges), set[str]()
    while body in ends and ends[body] <= on:
        if body in been:
            return None
        been.add(body)
        if body in passed and passed[body][1] <= on:
            body = passed[body][0]
            continue
        # Of the successions that name what is asked about, those of the last day count; they must agree.
        named = sorted((e for e in edges if e.body == body and e.on <= on and e.areas & about), key=lambda e: e.on)
        takers = {edge.successor for edge in named if edge.on == named[-1].on}
        if len(takers) != 1:
            return None
        body = takers.pop()
    return body
