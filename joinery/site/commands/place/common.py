"""What the commands of `place` share: getting ready, the way of looking, and answers in words and in JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from joinery.site import setup
from joinery.site.commands import Problem

if TYPE_CHECKING:
    from joinery.apps.place.facts import AsAt, Brief, Succession

LONDON = ZoneInfo("Europe/London")


def get_ready() -> None:
    """Load the deployment, which must be there and of this version."""
    setup.load()
    if setup.is_new():
        raise Problem("There is no deployment here yet. Start a place: joinery place start CODE")
    try:
        setup.refuse_unready()
    except setup.NotReady as not_ready:
        raise Problem(str(not_ready)) from None


@contextmanager
def refusals() -> Iterator[None]:
    """Tell what an action refuses as the problem that it is."""
    from joinery.apps.base.action import Refused

    try:
        yield
    except Refused as refused:
        raise Problem(str(refused)) from None


def acting() -> dict[str, Any]:
    """Who acts, and when: the two arguments of every action."""
    from django.utils import timezone

    from joinery.apps.base.action import Actor

    return {"actor": Actor.system("command line"), "at": timezone.now()}


def view(arguments: argparse.Namespace) -> AsAt:
    """The way of looking that the options ask for."""
    from joinery.apps.place import facts

    known_at = None
    if arguments.known_at and arguments.known_at < date.max:
        known_at = datetime.combine(arguments.known_at + timedelta(days=1), time(), LONDON)
    check_proposal(arguments.proposal)
    return facts.as_at(arguments.at or today(), known_at, arguments.proposal)


def check_proposal(number: int | None) -> None:
    """Refuse a number that is not that of a proposal still undecided."""
    from joinery.apps.place import facts

    if number is None:
        return
    found = facts.edition(number)
    if found is None or found.kind != "proposal":
        raise Problem(f"There is no proposal {number}. List them: joinery place proposals")
    if found.state != "draft":
        raise Problem(f"Proposal {number} was {found.state} already. Leave --proposal out.")


def today() -> date:
    """The day in the place."""
    from django.utils import timezone

    return timezone.localdate()


def tell(arguments: argparse.Namespace, lines: Iterable[str]) -> None:
    """Print an answer in words; with `--json` standard output is for that."""
    if not arguments.json:
        sys.stdout.writelines(f"{line}\n" for line in lines)


def in_words(day: date | None) -> str:
    """A day as people write it; nothing for one before records began."""
    return "" if day is None or day == date.min else f"{day.day} {day:%B %Y}"


def between(start: date | None, end: date | None) -> str:
    """A period in words: since a day, up to the day before `end`."""
    last = in_words(end - timedelta(days=1)) if end and end > date.min else ""
    return " ".join(filter(None, [in_words(start) and f"from {in_words(start)}", last and f"to {last}"]))


def in_json(day: date | datetime | None) -> str | None:
    """A day or moment for JSON; null for one before records began."""
    return None if day is None or day == date.min else day.isoformat()


def body_json(body: Brief) -> dict[str, Any]:
    """A body for JSON; `to` is the first day on which it is no more."""
    return {
        "code": body.code,
        "name": body.name,
        "form": body.form,
        "level": body.kind.level,
        "from": in_json(body.from_date),
        "to": in_json(body.to_date),
    }


def succession_json(each: Succession) -> dict[str, Any]:
    """A succession for JSON."""
    said = asdict(each) | {"on": in_json(each.on), "to": body_json(each.to)}
    return {"from": body_json(each.body)} | {name: value for name, value in said.items() if name != "body"}


def succession_line(each: Succession) -> str:
    """A succession in words."""
    how = filter(None, [each.part, each.share and f"{each.share:.0%}", each.instrument, each.contracts, each.certainty])
    words = f"{in_words(each.on)}: {each.body.name} ({each.body.code}) -> {each.to.name} ({each.to.code})"
    return f"{words}; {', '.join(map(str, how))}".rstrip("; ")
