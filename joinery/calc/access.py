"""May this viewer see this person, and why: two gates, role and relationship, and a purpose.

Rules as data and the full table of roles come with the access room; what is decided here stays the
only place where it is decided.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from joinery.calc.succession import EARLIEST, Reach

DIRECT_CARE = "direct_care"
FEED_QUALITY = "feed_quality"
RECORD_QUALITY = "record_quality"

# Roles whose work is a person's care. Source: handbook, domain 5.7 (role gate).
CARING_ROLES = {
    "gp": "GP",
    "community_nurse": "community nurse",
    "social_worker": "social worker",
    "care_co_ordinator": "care co-ordinator",
    "care_home_manager": "care home manager",
}
# Looks after the directory: who is in the place, proposals, and what waits for a decision.
ARRANGING_ROLES = {"integration_lead": "integration lead"}
# Puts right who is who: says of records that wait whether they are one person, and takes wrong ones apart.
REVIEWING_ROLES = {"records_officer": "records officer"}
ROLES = CARING_ROLES | ARRANGING_ROLES | REVIEWING_ROLES


@dataclass(frozen=True, slots=True)
class Involvement:
    """An organisation (its code) has been involved with the person since a day.

    `passed`: the organisation ended, and this has gone on to another, which is an involvement of its
    own. Only a post that still waits at the organisation itself meets it then.
    """

    organisation: str
    began: date
    passed: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """One role that the viewer holds in one organisation today.

    `reach` says which involvements the post meets, after reorganisations; empty: all those of its
    own organisation.
    """

    role: str
    organisation: str  # code
    reach: tuple[Reach, ...] = ()

    def windows(self) -> tuple[Reach, ...]:
        """The involvements that the post meets, by organisation and by the day on which they began."""
        return self.reach or (Reach(self.organisation),)

    def meets(self, involvement: Involvement) -> bool:
        """True when the post may act on this involvement."""
        if involvement.passed and involvement.organisation != self.organisation:
            return False
        return any(window.holds(involvement.organisation, involvement.began) for window in self.windows())


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, its reason as a code, and the post that carried it (None when refused).

    `inside` are the organisations whose restricted entries the post may read.
    """

    allowed: bool
    reason: str
    post: Post | None = None
    inside: frozenset[str] = frozenset()


def may_open(posts: tuple[Post, ...], involved: Iterable[Involvement], purpose: str) -> Decision:
    """Decide whether a viewer holding `posts` may open the record of a person with these involvements.

    Reasons: `involved` (allowed), `no_post`, `role`, `purpose`, `not_involved`.

    >>> since = date(2026, 1, 1)
    >>> may_open((Post("gp", "Z90001"),), [Involvement("Z90001", since)], DIRECT_CARE).allowed
    True
    """
    if not posts:
        return Decision(False, "no_post")
    if purpose != DIRECT_CARE:
        return Decision(False, "purpose")
    caring = [post for post in posts if post.role in CARING_ROLES]
    if not caring:
        return Decision(False, "role")
    involved = tuple(involved)
    for post in caring:
        met = frozenset(involvement.organisation for involvement in involved if post.meets(involvement))
        if met:
            return Decision(True, "involved", post, met)
    return Decision(False, "not_involved")


def may_list(post: Post) -> Decision:
    """The decision for a list of people whom `post` meets: of restricted entries, only those of
    organisations that it meets whenever an involvement began."""
    return Decision(True, "involved", post, _wholly_met(post))


def _wholly_met(post: Post) -> frozenset[str]:
    return frozenset(w.organisation for w in post.windows() if w.from_date == EARLIEST and w.to_date is None)


def may_read(restricted: bool, source_organisation: str, decision: Decision) -> bool:
    """Whether one entry may be read: a restricted entry only inside the organisation that wrote it."""
    if not decision.allowed:
        return False
    return not restricted or source_organisation in decision.inside


def may_arrange(posts: tuple[Post, ...]) -> bool:
    """Whether the viewer may change the directory: bodies, proposals, what waits for a decision."""
    return any(post.role in ARRANGING_ROLES for post in posts)


def may_review(posts: tuple[Post, ...]) -> Decision:
    """Decide whether a viewer may compare records that wait and say who is who, for `record_quality` alone.

    Wrongly joined records may be anybody's, so no involvement is asked for; what is restricted stays so
    outside the viewer's own organisation. Reasons: `reviewer` (allowed), `no_post`, `role`.

    >>> may_review((Post("records_officer", "E06900001"),)).reason
    'reviewer'
    """
    for post in posts:
        if post.role in REVIEWING_ROLES:
            return Decision(True, "reviewer", post, _wholly_met(post))
    return Decision(False, "role" if posts else "no_post")


def may_mend(posts: tuple[Post, ...], sender: str, secondary_use: bool = False) -> Decision:
    """Decide whether a viewer may see and correct what an organisation (its code) sent and was not taken.

    It may be about anybody: so an integration lead may, and whoever works at the sender, which knows it
    already. What was sent for secondary use only a lead may see. Reasons: `sender` (allowed), `no_post`,
    `not_sender`, `secondary_use`.

    >>> may_mend((Post("social_worker", "E06900001"),), "E06900001").allowed
    True
    """
    if not posts:
        return Decision(False, "no_post")
    for post in posts:
        if post.role in ARRANGING_ROLES or (not secondary_use and sender in _wholly_met(post)):
            return Decision(True, "sender", post)
    return Decision(False, "secondary_use" if secondary_use else "not_sender")
