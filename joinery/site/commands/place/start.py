"""`joinery place start`: a deployment for a real place, with England's bodies and nothing made up."""

from __future__ import annotations

import argparse
import getpass
import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joinery.site import setup
from joinery.site.commands import Problem, say
from joinery.site.commands.place.common import acting, body_json, in_words, refusals, today

if TYPE_CHECKING:
    from joinery.apps.place.facts import Brief

ROLE = "integration_lead"
TRIES = 3
GENERATED_BYTES = 15


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Make the deployment ready, say whom it serves, add its first user. It can be repeated."""
    if bool(arguments.email) != bool(arguments.lead):
        raise Problem("--email and --lead belong together: the address and the name of the first user.")
    _refuse_demonstration(Path(os.environ.get("JOINERY_DATA", "joinery-data")).absolute())
    setup.load()
    if setup.is_new():
        say("Preparing a new deployment.")
    setup.migrate()
    _refuse_other_place(arguments)
    definitions = setup.take_definitions(demo=False, **acting())
    if definitions:
        say(f"Took the bodies that ship with Joinery: {', '.join(definitions)}.")
    with refusals():
        home, password = _home(arguments), None
        added = bool(arguments.email) and not _signs_in(arguments.email)
        if added:
            password = _add_user(arguments, home)
        elif arguments.email:
            say(f"{arguments.email} can log in already.")
    following = _tell_what_next(home)
    return {
        "home": body_json(home),
        "definitions": definitions,
        "user_added": added,
        "password": password,
        "next": following,
    }, 0


def _refuse_demonstration(data: Path) -> None:
    # Before anything is loaded: the settings know a demonstration by this file too.
    if (data / "demo.json").exists() or (data / "demo.building").exists():
        raise Problem(
            f"{data} holds a demonstration. Choose an empty folder: JOINERY_DATA=FOLDER joinery place start …"
        )


def _refuse_other_place(arguments: argparse.Namespace) -> None:
    from joinery.apps.place import facts

    as_at = facts.as_at(today())
    home, asked = facts.home(as_at), facts.organisation(arguments.code, as_at)
    if home and (asked is None or asked.id != home.id):
        raise Problem(
            f"This deployment was started for {home.name} ({home.code}). Each place has a folder of its own: "
            "JOINERY_DATA=FOLDER joinery place start …"
        )


def _home(arguments: argparse.Namespace) -> Brief:
    """The body that is served: one that is known by the code, or a new place of that code and name."""
    from joinery.apps.place import actions, facts

    as_at = facts.as_at(today())
    found = facts.organisation(arguments.code, as_at)
    if found is None or not found.form:
        if not arguments.name:
            raise Problem(
                f"No body has the code {arguments.code}. Give the code of a council (GSS or CASSR) or of a board "
                "(ODS), or a new code and --name for a place of your own."
            )
        details = actions.OrganisationDetails(arguments.code, arguments.name, "place")
        actions.register_organisation(details=details, **acting())
    elif arguments.name and arguments.name != found.name:
        raise Problem(f"{arguments.code} is the code of {found.name}. Leave --name out, or choose another code.")
    elif found.has_ended(today()):
        after = ", ".join(f"{each.to.name} ({each.to.code})" for each in facts.successors(found.code, as_at) or ())
        raise Problem(
            f"{found.name} ended on {in_words(found.to_date)}. After it came: {after or 'nothing that is known'}."
        )
    if facts.home(as_at) is None:
        actions.set_home(code=arguments.code, **acting())
    home = facts.home(as_at)
    assert home is not None
    return home


def _signs_in(email: str) -> bool:
    from django.contrib.auth import get_user_model

    return get_user_model().objects.filter(email=email.strip().lower()).exists()


def _add_user(arguments: argparse.Namespace, home: Brief) -> str | None:
    """Add the first user; returns the password where it was made up here."""
    from django.core.exceptions import ValidationError
    from django.core.validators import validate_email
    from django.db import transaction

    from joinery.apps.base.actions import add_user
    from joinery.apps.place.actions import add_membership

    try:
        validate_email(arguments.email)
    except ValidationError:
        raise Problem(f"{arguments.email} is no email address.") from None
    ask = not arguments.json and sys.stdin.isatty()
    password = _asked_password() if ask else secrets.token_urlsafe(GENERATED_BYTES)
    with transaction.atomic():
        user = add_user(email=arguments.email, name=arguments.lead, password=password, **acting())
        add_membership(user_id=user, organisation_code=home.code, role=ROLE, from_date=today(), **acting())
    say(f"{arguments.lead} logs in as {arguments.email}.")
    if ask:
        return None
    if not arguments.json:
        sys.stdout.write(f"Password (shown this once): {password}\n")
    return password


def _asked_password() -> str:
    """A password that is good enough, given twice alike."""
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    for _ in range(TRIES):
        password = getpass.getpass("Password of the first user: ")
        try:
            validate_password(password)
        except ValidationError as weak:
            say(" ".join(weak.messages))
            continue
        if getpass.getpass("The same again: ") == password:
            return password
        say("The two differ.")
    raise Problem("No password was set, so no user was added. Run the command again.")


def _tell_what_next(home: Brief) -> list[str]:
    steps = ["joinery run", "log in, select Place and then Set-up"]
    say(f"This deployment serves {home.name} ({home.code}). Next: {'; then '.join(steps)}.")
    return steps
