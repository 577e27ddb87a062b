"""Taking what came back of a check against the national data opt-out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.record.models import OptOutCheck
from joinery.apps.record.opt_outs import VALID_DAYS, packed
from joinery.calc.units import parse_nhs_number


@dataclass(frozen=True, slots=True)
class OptOuts:
    """How many NHS numbers were asked about, how many of them may be used, and up to which day that holds."""

    asked: int
    allowed: int
    until: date


@action("record.take_opt_outs")
def take_opt_outs(*, asked: Path, allowed: Path, actor: Actor, at: datetime) -> OptOuts:
    """Take a check against the national data opt-out: the file of numbers that was asked, and that of those that may
    be used, as MESH gives it back. Each has one NHS number a line. Raises Refused.

    It holds for 21 days. A number that nobody asked about counts as opted out.
    """
    about, may_be_used = _numbers(asked), _numbers(allowed)
    if not about:
        raise Refused("empty", f"{asked.name} holds no NHS number. Give the file that was sent to be checked.")
    if strangers := len(may_be_used - about):
        raise Refused(
            "not_asked",
            f"{allowed.name} holds {strangers} numbers that {asked.name} did not ask about. "
            "Give the answer to this question.",
        )
    OptOutCheck.objects.create(asked=packed(about), allowed=packed(may_be_used), made_by=actor.name, at=at)
    return OptOuts(len(about), len(may_be_used), (at + timedelta(days=VALID_DAYS)).date())


def _numbers(path: Path) -> set[str]:
    """The NHS numbers of a file, one a line, with or without a comma after it. Raises Refused."""
    found = set()
    for position, line in enumerate(path.read_bytes().splitlines(), 1):
        text = line.decode("utf-8-sig", errors="replace").strip().rstrip(",").strip('"')
        if not text:
            continue
        number = parse_nhs_number(text)
        if number is None:
            # The value may be somebody's number, mistyped: it is not repeated.
            raise Refused("number", f"{path.name}, line {position}: this is no NHS number. Nothing was taken.")
        found.add(number)
    return found
