"""`joinery place merge`, `split`, `move`, `rename`, `lead` and `add`: at once, or within a proposal."""

from __future__ import annotations

import argparse
from datetime import date
from typing import TYPE_CHECKING, Any

from joinery.site.commands import Problem, say
from joinery.site.commands.place.common import acting, check_proposal, get_ready, in_json, in_words, refusals, today

if TYPE_CHECKING:
    from joinery.apps.place.actions import OrganisationDetails, Terms


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Make one change to the directory."""
    get_ready()
    check_proposal(arguments.proposal)
    on = arguments.on or (None if arguments.noun == "add" else today())
    common = {"edition_id": arguments.proposal} | acting()
    with refusals():
        words = CHANGES[arguments.noun](arguments, on or date.min, common)
    where = f"added to proposal {arguments.proposal}" if arguments.proposal else "it counts"
    say(f"{words}{', ' + in_words(on) if on else ''}: {where}.")
    return {"change": words, "on": in_json(on), "proposal": arguments.proposal}, 0


def _merge(arguments: argparse.Namespace, on: date, common: dict[str, Any]) -> str:
    from joinery.apps.place import actions

    into = _details(arguments, arguments.into, arguments.name, arguments.codes[0], on)
    actions.merge(codes=arguments.codes, into=into, on=on, terms=_terms(arguments), **common)
    return f"{', '.join(arguments.codes)} merge into {into.code}"


def _split(arguments: argparse.Namespace, on: date, common: dict[str, Any]) -> str:
    from joinery.apps.place import actions

    names = dict(text.partition("=")[::2] for text in arguments.names)
    parts = []
    for text in arguments.parts:
        code, _, areas = text.partition("=")
        into = _details(arguments, code, names.pop(code, ""), arguments.code, on)
        parts.append(actions.Part(into, areas=tuple(area.strip() for area in areas.split(",") if area.strip())))
    if names:
        raise Problem(f"--name names {', '.join(names)}, which no --part names.")
    actions.split(code=arguments.code, parts=parts, on=on, terms=_terms(arguments), **common)
    return f"{arguments.code} is split into {', '.join(part.into.code for part in parts)}"


def _move(arguments: argparse.Namespace, on: date, common: dict[str, Any]) -> str:
    from joinery.apps.place import actions

    codes = {"code": arguments.code, "from_code": arguments.left, "to_code": arguments.to}
    actions.move(**codes, on=on, terms=_terms(arguments), **common)
    return f"{arguments.code} moves from {arguments.left} to {arguments.to}"


def _rename(arguments: argparse.Namespace, on: date, common: dict[str, Any]) -> str:
    from joinery.apps.place import actions

    actions.rename(code=arguments.code, name=arguments.name, on=on, **common)
    return f"{arguments.code} is renamed {arguments.name}"


def _lead(arguments: argparse.Namespace, on: date, common: dict[str, Any]) -> str:
    from joinery.apps.place import actions

    actions.name_lead(code=arguments.code, name=arguments.name, on=on, **common)
    return f"{arguments.name} leads {arguments.code}"


def _add(arguments: argparse.Namespace, on: date, common: dict[str, Any]) -> str:
    from joinery.apps.place import actions, facts

    there = facts.organisation(arguments.code, facts.as_at(today(), draft=arguments.proposal))
    if there and there.form:
        raise Problem(f"{arguments.code} is the code of {there.name}. A code is never used again: choose another.")
    details = actions.OrganisationDetails(arguments.code, arguments.name, arguments.form)
    actions.register_organisation(details=details, since=on, **common)
    return f"{arguments.name} ({arguments.code}) is added"


CHANGES = {
    "merge": _merge, "split": _split, "move": _move, "rename": _rename, "lead": _lead, "add": _add,
}  # fmt: skip


def _details(arguments: argparse.Namespace, code: str, name: str, like: str, on: date) -> OrganisationDetails:
    """The body that takes over: one that is there, or a new one with a name, of a form like the one that ends."""
    from joinery.apps.place import actions, facts

    as_at = facts.as_at(on, draft=arguments.proposal)
    there, old = facts.organisation(code, as_at), facts.organisation(like, as_at)
    if there and there.form:
        if name:
            raise Problem(f"{code} is there already, as {there.name}. Leave its name out, or rename it.")
        return actions.OrganisationDetails(there.code, there.name, there.form)
    if not name:
        raise Problem(f"{code} is a new code. Give the name of the body: see --help.")
    return actions.OrganisationDetails(code, name, arguments.form or (old.form if old else ""))


def _terms(arguments: argparse.Namespace) -> Terms:
    from joinery.apps.place import actions

    return actions.Terms(arguments.instrument, arguments.contracts)
