"""`joinery place propose`, `proposals`, `adopt` and `drop`."""

from __future__ import annotations

import argparse
from typing import Any

from joinery.site.commands import say
from joinery.site.commands.place.common import acting, get_ready, in_json, in_words, refusals, tell


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Begin a proposal, list proposals, or decide on one."""
    get_ready()
    from joinery.apps.place import actions

    if arguments.noun == "proposals":
        return _list(arguments), 0
    with refusals():
        if arguments.noun == "propose":
            number, state = actions.propose(title=arguments.title, **acting()), "draft"
            say(f"Proposal {number} begins. Add to it: joinery place merge … --proposal {number}")
        elif arguments.noun == "adopt":
            number, state = arguments.proposal, "adopted"
            actions.adopt_proposal(edition_id=number, **acting())
            say(f"Proposal {number} counts from now on.")
        else:
            number, state = arguments.proposal, "dropped"
            actions.drop_proposal(edition_id=number, **acting())
            say(f"Proposal {number} is dropped.")
    return {"proposal": number, "state": state}, 0


def _list(arguments: argparse.Namespace) -> dict[str, Any]:
    from joinery.apps.place import facts

    found = facts.editions(kinds=("proposal",), limit=200)
    lines = [f"{each.id}: {each.title}, {each.state}, begun on {in_words(each.made_at.date())}" for each in found]
    tell(arguments, lines or ["There are no proposals."])
    said = [
        {
            "proposal": each.id,
            "title": each.title,
            "state": each.state,
            "made_by": each.made_by,
            "made_at": in_json(each.made_at),
            "adopted_at": in_json(each.adopted_at),
            "dropped_at": in_json(each.dropped_at),
        }
        for each in found
    ]
    return {"proposals": said}
