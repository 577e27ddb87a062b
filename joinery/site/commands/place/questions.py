"""`joinery place show`, `successors`, `predecessors`, `responsible` and `history`."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from joinery.site.commands import Problem
from joinery.site.commands.place.common import (
    between,
    body_json,
    get_ready,
    in_json,
    in_words,
    succession_json,
    succession_line,
    tell,
    view,
)

if TYPE_CHECKING:
    from joinery.apps.place.facts import AsAt, Brief, Said

Answer = tuple[dict[str, Any], Iterable[str]]


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Answer one question about the directory, as it was on a day and was known on another."""
    get_ready()
    as_at = view(arguments)
    answer, lines = QUESTIONS[arguments.noun](arguments, as_at)
    tell(arguments, lines)
    looked = {"at": in_json(as_at.on), "known_at": in_json(arguments.known_at), "proposal": arguments.proposal}
    return looked | answer, 0


def _show(arguments: argparse.Namespace, as_at: AsAt) -> Answer:
    from joinery.apps.place import facts

    found = facts.show(arguments.code, as_at)
    if found is None:
        raise _unknown(arguments.code)
    areas = facts.areas_of(arguments.code, as_at)
    answer = {"body": body_json(found.brief), "said": [_said_json(s) for s in found.said], "more": found.more}
    lines = [_heading(found.brief), *map(_said_line, found.said), *(["  … and others"] if found.more else [])]
    lines += [f"  covers {len(areas):,} LSOA{'s' if len(areas) > 1 else ''}"] if areas else []
    return answer | {"areas": list(areas)}, lines


def _line(arguments: argparse.Namespace, as_at: AsAt) -> Answer:
    from joinery.apps.place import facts

    onward = arguments.noun == "successors"
    found = (facts.successors if onward else facts.predecessors)(arguments.code, as_at)
    body = facts.organisation(arguments.code, as_at)
    if found is None or body is None:
        raise _unknown(arguments.code)
    none = "  Nothing took over from it by then." if onward else "  It took over from nothing that is known."
    lines = [_heading(body), *(f"  {succession_line(each)}" for each in found)]
    answer = {"body": body_json(body), "successions": [succession_json(each) for each in found]}
    return answer, lines if found else [*lines, none]


def _history(arguments: argparse.Namespace, as_at: AsAt) -> Answer:
    from joinery.apps.place import facts

    found = facts.history(arguments.code, as_at)
    if found is None:
        raise _unknown(arguments.code)
    answer = {
        "body": body_json(found.brief),
        "said": [_said_json(s) for s in found.said],
        "before": [succession_json(each) for each in found.before],
        "after": [succession_json(each) for each in found.after],
    }
    lines = [_heading(found.brief), *map(_said_line, found.said)]
    lines += [f"  {succession_line(each)}" for each in (*found.before, *found.after)]
    return answer, lines


def _responsible(arguments: argparse.Namespace, as_at: AsAt) -> Answer:
    from joinery.apps.place import facts

    lsoa = arguments.lsoa if arguments.postcode is None else facts.lsoa_of(arguments.postcode, as_at)
    if lsoa is None:
        raise Problem(f"The area of {arguments.postcode} is not known. Take an ONS postcode file: joinery place take")
    found = facts.responsible(lsoa, as_at)
    if not found:
        raise Problem(f"No body is known to answer for {lsoa} then. Take an ONS lookup: joinery place take")
    bodies = [
        {
            "body": body_json(each.body),
            "because": list(each.because),
            "faced": each.faced,
            "one_of": each.one_of,
            "passed_from": each.passed_from,
        }
        for each in found
    ]
    lines = [f"{lsoa}{' (' + arguments.postcode + ')' if arguments.postcode else ''}, {in_words(as_at.on)}"]
    lines += [
        f"  {each.body.kind.words}: {each.body.name} ({each.body.code})"
        + (", one of several" if each.one_of else "")
        + (f", took over from {each.passed_from}" if each.passed_from else "")
        for each in found
    ]
    return {"lsoa": lsoa, "postcode": arguments.postcode, "bodies": bodies}, lines


QUESTIONS = {
    "show": _show, "successors": _line, "predecessors": _line, "history": _history, "responsible": _responsible,
}  # fmt: skip


def _unknown(code: str) -> Problem:
    return Problem(f"Nothing is known of a body with the code {code}, looked at in this way.")


def _heading(body: Brief) -> str:
    life = between(body.from_date, body.to_date)
    return f"{body.name} ({body.code}), {body.kind.words}{', ' + life if life else ''}"


def _said_line(each: Said) -> str:
    other = f"{each.other.name} ({each.other.code})" if each.other else ""
    notes = filter(
        None,
        [
            between(each.from_date, each.to_date),
            each.passed_from and f"took over from {each.passed_from}",
            "nobody has decided which body took over" if each.undecided else "",
            each.certainty,
            f"source {each.source}",
        ],
    )
    return f"  {' '.join(filter(None, [each.words, each.value, other]))}; {', '.join(notes)}"


def _said_json(each: Said) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "words": each.words,
        "value": each.value,
        "other": body_json(each.other) if each.other else None,
        "incoming": each.incoming,
        "from": in_json(each.from_date),
        "to": in_json(each.to_date),
        "certainty": each.certainty,
        "detail": dict(each.detail),
        "source": each.source,
        "known_at": in_json(each.known_at),
        "passed_from": each.passed_from,
        "undecided": each.undecided,
    }
