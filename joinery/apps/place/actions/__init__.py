"""The way into place: changes, proposals, files, and who works where."""

from joinery.apps.place.actions.changes import (
    OrganisationDetails,
    Part,
    Terms,
    change_form,
    close_body,
    merge,
    move,
    name_lead,
    register_organisation,
    relate,
    rename,
    split,
    unrelate,
)
from joinery.apps.place.actions.editions import adopt_proposal, drop_proposal, propose
from joinery.apps.place.actions.intake import Taken, take_directory_file
from joinery.apps.place.actions.memberships import (
    add_membership,
    end_membership,
    extend_membership,
    pass_membership,
    review_membership,
    set_home,
)

__all__ = [
    "OrganisationDetails",
    "Part",
    "Taken",
    "Terms",
    "add_membership",
    "adopt_proposal",
    "change_form",
    "close_body",
    "drop_proposal",
    "end_membership",
    "extend_membership",
    "merge",
    "move",
    "name_lead",
    "pass_membership",
    "propose",
    "register_organisation",
    "relate",
    "rename",
    "review_membership",
    "set_home",
    "split",
    "take_directory_file",
    "unrelate",
]
