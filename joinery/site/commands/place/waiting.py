"""`joinery place waiting` and `decide`: what a split or a closure has left without a plain successor."""

from __future__ import annotations

import argparse
from typing import Any

from joinery.site.commands import Problem, say
from joinery.site.commands.place.common import acting, body_json, get_ready, refusals, tell, today


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """List what waits, or decide on one of them."""
    get_ready()
    return (_list if arguments.noun == "waiting" else _decide)(arguments), 0


def _list(arguments: argparse.Namespace) -> dict[str, Any]:
    from joinery.apps.place import facts
    from joinery.apps.record.facts import waiting_people

    memberships, people = facts.waiting(today()), waiting_people(today())
    lines = [
        f"{each.membership_id}: {each.user_name}, {each.role_text} at {each.body.name} ({each.body.code}); "
        f"choose: {_choices(each.choices)}"
        for each in memberships
    ]
    lines += [f"{each.people:,} people known to {each.body.name} ({each.body.code}); choose: {_choices(each.choices)}"
              for each in people]  # fmt: skip
    tell(arguments, lines or ["Nothing waits for a decision."])
    return {
        "memberships": [
            {
                "membership": each.membership_id,
                "user": each.user_name,
                "role": each.role_text,
                "body": body_json(each.body),
                "choices": [body_json(body) for body in each.choices],
            }
            for each in memberships
        ],
        "people": [
            {
                "body": body_json(each.body),
                "people": each.people,
                "choices": [body_json(body) for body in each.choices],
            }
            for each in people
        ],
    }


def _choices(bodies: Any) -> str:
    return ", ".join(f"{body.name} ({body.code})" for body in bodies) or "nobody took over: only --end"


def _decide(arguments: argparse.Namespace) -> dict[str, Any]:
    from joinery.apps.place import actions
    from joinery.apps.record.actions import pass_relationships

    count = 1
    with refusals():
        if arguments.people is not None and arguments.end and arguments.end != today():
            raise Problem("People's relationships with a body that ended can be ended today, not on another day.")
        if arguments.people is not None:
            count = pass_relationships(ended=arguments.people, organisation_code=arguments.to, **acting())
            fate = f"go on at {arguments.to}" if arguments.to else "end"
            say(f"{count:,} relationships of {arguments.people} {fate}.")
        elif arguments.to is not None:
            to = {"membership_id": arguments.membership, "organisation_code": arguments.to}
            actions.pass_membership(**to, **acting())
            say(f"Membership {arguments.membership} goes on at {arguments.to}.")
        else:
            actions.end_membership(membership_id=arguments.membership, on=arguments.end, **acting())
            say(f"Membership {arguments.membership} ends on {arguments.end.isoformat()}.")
    said = {"membership": arguments.membership, "people": arguments.people, "to": arguments.to}
    return said | {"end": arguments.end.isoformat() if arguments.end else None, "decided": count}
