"""`joinery staff add`, `list`, `invite` and `end`: the first manager of a place, and help when no manager can."""

from __future__ import annotations

import argparse
import sys
from datetime import date, timedelta
from typing import Any

from joinery.site.commands import Problem, say
from joinery.site.commands.place.common import acting, get_ready, in_json, refusals, tell, today


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Do what the noun says."""
    get_ready()
    return {"add": _add, "list": _list, "invite": _invite, "end": _end}[arguments.noun](arguments), 0


def _add(arguments: argparse.Namespace) -> dict[str, Any]:
    from django.core.exceptions import ValidationError
    from django.core.validators import validate_email
    from django.db import transaction

    from joinery.apps.base import facts as base
    from joinery.apps.base.actions import add_user
    from joinery.apps.place.actions import add_membership

    if arguments.email:
        try:
            validate_email(arguments.email)
        except ValidationError:
            raise Problem(f"{arguments.email} is no email address.") from None
    if not arguments.name.strip():
        raise Problem("Give the name of the person.")
    if arguments.until == date.max:
        raise Problem("A role has a last day, and a day after it. Give an earlier one: --until 2027-03-31")
    last = arguments.until or today() + timedelta(days=base.staff_rules(today()).post_days - 1)
    known = base.user_with_email(arguments.email) if arguments.email else None
    invited = None
    with refusals(), transaction.atomic():
        new = {"email": arguments.email, "name": arguments.name, "password": None}
        user_id = known or add_user(**new, **acting())
        membership = add_membership(
            user_id=user_id, organisation_code=arguments.at, role=arguments.role, from_date=today(),
            to_date=last + timedelta(days=1), **acting(),
        )  # fmt: skip
        if known is None or not base.is_active(known):
            invited = _invited(user_id)
    say(f"{arguments.name} is {arguments.role} at {arguments.at}, up to {last.isoformat()}.")
    if invited:
        _show(arguments, invited)
    else:
        say("They log in as before.")
        invited = {"login": arguments.email.lower(), "code": None, "code_until": None}
    return {"membership": membership, "last_day": in_json(last)} | invited


def _invited(user_id: int) -> dict[str, Any]:
    """A new code for a user, how they will log in, and up to when the code serves."""
    from joinery.apps.base import facts
    from joinery.apps.base.actions import invite

    code = invite(user_id=user_id, **acting())
    invited = facts.invitation_with_code(code, acting()["at"])
    assert invited is not None
    return {"login": invited.login, "code": code, "code_until": in_json(invited.expires_at)}


def _show(arguments: argparse.Namespace, invited: dict[str, Any]) -> None:
    code = invited["code"]
    groups = " ".join(code[at : at + 4] for at in range(0, len(code), 4))
    if not arguments.json:
        sys.stdout.write(f"Log in as: {invited['login']}\nCode (shown this once): {groups}\n")
    say(f"They type the code in on the page /invitation/, up to {invited['code_until'][:10]}.")


def _of_membership(number: int) -> int:
    """The user who has a role, by the number of the role."""
    from joinery.apps.place import facts

    found = next((each for each in facts.staff(today()) if each.membership_id == number), None)
    if found is None:
        raise Problem(f"There is no role {number}, or it has ended. List them: joinery staff list")
    return found.user_id


def _invite(arguments: argparse.Namespace) -> dict[str, Any]:
    invited = _invited(_of_membership(arguments.membership))
    _show(arguments, invited)
    return {"membership": arguments.membership} | invited


def _list(arguments: argparse.Namespace) -> dict[str, Any]:
    from joinery.apps.place import facts

    body = facts.organisation(arguments.at, facts.AsAt(today())) if arguments.at else None
    if arguments.at and body is None:
        raise Problem(f"No organisation has the code {arguments.at}.")
    staff = facts.staff(today(), {body.code} if body else None)
    lines = [
        f"{each.membership_id}: {each.name} ({each.login}), {each.role_text} at {each.body_name} ({each.body}), "
        f"last day {in_json(each.last_day) or 'not said'}"
        for each in staff
    ]
    tell(arguments, lines or ["Nobody has a role. Give one: joinery staff add NAME --role ROLE --at CODE"])
    return {
        "staff": [
            {
                "membership": each.membership_id,
                "name": each.name,
                "login": each.login,
                "role": each.role,
                "at": each.body,
                "from": in_json(each.from_date),
                "last_day": in_json(each.last_day),
                "last_login": in_json(each.last_login),
                "review_due": in_json(each.due(today())),
            }
            for each in staff
        ]
    }


def _end(arguments: argparse.Namespace) -> dict[str, Any]:
    from django.db import transaction

    from joinery.apps.place.actions import end_membership
    from joinery.site.staff.leaving import end_leavers

    user_id = _of_membership(arguments.membership)
    with refusals(), transaction.atomic():
        end_membership(membership_id=arguments.membership, on=today(), **acting())
        left = bool(end_leavers(of=[user_id], **acting()))
    say(f"The role {arguments.membership} has ended.")
    say("It was the last of its user, who is logged out." if left else "Its user has others, and can still log in.")
    return {"membership": arguments.membership, "user_ended": left}
