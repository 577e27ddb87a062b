"""The way of looking that an address asks for: the day, what was known, and a proposal looked through.

`?on=2027-04-01&known=2026-11-22&proposal=3`: each may be left out, and all travel in every link.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render

from joinery.apps.base.action import Actor
from joinery.apps.place import facts
from joinery.calc.access import may_arrange
from joinery.site.context import Request, standing_of
from joinery.site.jinja import LONDON

# Days outside these are slips of the hand: health and care have been reorganised since 1834.
FIRST_DAY, LAST_DAY = date(1800, 1, 1), date(2199, 12, 31)


class Absent(Exception):
    """What the address names is not there; the message says so to the reader."""

    def __init__(self, heading: str, sentence: str) -> None:
        super().__init__(sentence)
        self.heading, self.sentence = heading, sentence


@dataclass(frozen=True, slots=True)
class Look:
    """A way of looking at the directory: `as_at` for facts, `query` for links that keep it."""

    today: date
    on: date
    known: date | None
    proposal: facts.EditionSummary | None
    as_at: facts.AsAt

    @property
    def query(self) -> dict[str, str | None]:
        """The parts of an address that ask for this look."""
        return {
            "on": None if self.on == self.today else self.on.isoformat(),
            "known": self.known.isoformat() if self.known else None,
            "proposal": str(self.proposal.id) if self.proposal else None,
        }

    @property
    def plain(self) -> bool:
        """True for today, as it is known now, without a proposal."""
        return not any(self.query.values())

    def but(self, **changes: str | None) -> dict[str, str | None]:
        """The query of this look with some parts changed; None takes one away."""
        return self.query | changes


def look_of(request: Request) -> Look:
    """The look that the address asks for. Raises BadRequest or Absent."""
    today = request.at.astimezone(LONDON).date()
    on = _day(request.GET.get("on", ""))
    known = _day(request.GET.get("known", ""))
    wanted = request.GET.get("proposal", "")
    proposal = proposal_of(wanted) if wanted else None
    # What became known in the course of a day counts as known on it.
    known_at = datetime.combine(known + timedelta(days=1), time(), LONDON) if known else None
    as_at = facts.as_at(on or today, known_at, proposal.id if proposal else None)
    return Look(today, as_at.on, known, proposal, as_at)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadRequest("day") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise BadRequest("day")
    return day


def proposal_of(number: str | int) -> facts.EditionSummary:
    """The proposal with this number. Raises Absent."""
    text = str(number)
    found = facts.edition(int(text)) if text.isascii() and text.isdecimal() and len(text) < 19 else None
    if found is None or found.kind != "proposal":
        raise Absent("There is no such proposal", "The proposal in the address is not known here. Was it mistyped?")
    return found


def page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of the directory: given the look of its address, and told plainly when something is not there."""

    @functools.wraps(view)
    def run(request: Request, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, look=look_of(request), **kwargs)
        except Absent as absent:
            context = {"heading_text": absent.heading, "sentence": absent.sentence}
            return render(request, "place/absent.jinja", context, status=404)

    return run


def show(request: Request, template: str, look: Look, context: Mapping[str, Any], status: int = 200) -> HttpResponse:
    """A page with its look, and whether its reader may change the directory."""
    return render(request, template, {"look": look, "arranges": arranges(request), **context}, status=status)


def arranges(request: Request) -> bool:
    """Whether the signed-in user may change the directory today."""
    return may_arrange(standing_of(request).posts)


def refusal(request: Request) -> HttpResponse:
    """What somebody is told who posts a change and may not."""
    return render(request, "place/refused.jinja", {}, status=403)


def acting(request: Request) -> dict[str, Any]:
    """Who acts, and when: the two arguments of every action."""
    return {"actor": Actor.user(request.user.pk), "at": request.at}
