"""`joinery link merge`, `split` and `undo`: what people decide about who is who.

A decision is an event beside others and changes nothing that was sent, so it can always be taken back.
"""

from __future__ import annotations

import argparse
from typing import Any

from joinery.site.commands import Problem, say
from joinery.site.commands.place.common import acting, get_ready, refusals

LOOK = "See: joinery link explain {}"


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Do what the noun says."""
    get_ready()
    with refusals():
        return {"merge": _merge, "split": _split, "undo": _undo}[arguments.noun](arguments), 0


def _merge(arguments: argparse.Namespace) -> dict[str, Any]:
    from joinery.apps.record.actions import join_people

    people = {"person_id": arguments.person, "other_id": arguments.other}
    kept = join_people(**people, by=_two_users(arguments.by), note=arguments.note, **acting())
    say(f"Both are {kept} from now on; the other id leads there. {LOOK.format(kept)}")
    return {"person": kept, "merged": [arguments.person, arguments.other]}


def _two_users(emails: list[str]) -> tuple[int, int]:
    """Their ids: a merge needs two people."""
    from joinery.apps.base.facts import user_with_email

    found = {email.strip().lower(): user_with_email(email) for email in emails}
    for email, user in found.items():
        if user is None:
            raise Problem(f"Nobody signs in as {email}.")
    users = [user for user in found.values() if user is not None]
    if len(users) != 2:
        raise Problem("A merge takes two people who both looked: give --by EMAIL twice, with two users.")
    return users[0], users[1]


def _split(arguments: argparse.Namespace) -> dict[str, Any]:
    from joinery.apps.record.actions import split_records

    records = sorted(set(arguments.records))
    new = split_records(person_id=arguments.person, record_ids=records, note=arguments.note, **acting())
    say(f"{len(records):,} records are now about {new}, and stay apart from {arguments.person}. {LOOK.format(new)}")
    return {"person": arguments.person, "records": records, "now": new}


def _undo(arguments: argparse.Namespace) -> dict[str, Any]:
    from joinery.apps.record.actions import withdraw_decision

    pair = sorted((arguments.record, arguments.other))
    withdraw_decision(record_id=pair[0], other_id=pair[1], note=arguments.note, **acting())
    say(f"Taken back. Who is who follows from what else is known. {LOOK.format(' '.join(map(str, pair)))}")
    return {"records": pair}
