"""May this viewer see this person, and why: two gates, role and relationship, and a purpose.

Rules as data and the full table of roles come with the access room; what is decided here stays the
only place where it is decided.
"""

from __future__ import annotations

from dataclasses import dataclass

DIRECT_CARE = "direct_care"

# Roles whose work is a person's care. Source: handbook, domain 5.7 (role gate).
CARING_ROLES = {
    "gp": "GP",
    "community_nurse": "community nurse",
    "social_worker": "social worker",
    "care_co_ordinator": "care co-ordinator",
    "care_home_manager": "care home manager",
}
OTHER_ROLES = {"integration_lead": "integration lead"}
ROLES = CARING_ROLES | OTHER_ROLES


@dataclass(frozen=True, slots=True)
class Post:
    """One role that the viewer holds in one organisation today."""

    role: str
    organisation: str  # code


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, its reason as a code, and the post that carried it (None when refused)."""

    allowed: bool
    reason: str
    post: Post | None = None


def may_open(posts: tuple[Post, ...], involved: frozenset[str], purpose: str) -> Decision:
    """Decide whether a viewer holding `posts` may open a record that organisations `involved` hold.

    Reasons: `involved` (allowed), `no_post`, `role`, `purpose`, `not_involved`.

    >>> may_open((Post("gp", "Z90001"),), frozenset({"Z90001"}), DIRECT_CARE).allowed
    True
    """
    if not posts:
        return Decision(False, "no_post")
    if purpose != DIRECT_CARE:
        return Decision(False, "purpose")
    caring = [post for post in posts if post.role in CARING_ROLES]
    if not caring:
        return Decision(False, "role")
    for post in caring:
        if post.organisation in involved:
            return Decision(True, "involved", post)
    return Decision(False, "not_involved")


def may_read(restricted: bool, source_organisation: str, decision: Decision) -> bool:
    """Whether one entry may be read: a restricted entry only inside the organisation that wrote it."""
    if not decision.allowed or decision.post is None:
        return False
    return not restricted or decision.post.organisation == source_organisation
