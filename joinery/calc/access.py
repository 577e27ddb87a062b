"""May this viewer see this person, and why: two gates, role and relationship, and a purpose.

What is allowed stands in `definitions/access.toml`; here it is worked out how a viewer stands to a person, and
the rows that fit are found. Nowhere else is it decided.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from joinery.calc.access_table import (
    CURRENT,
    NO_RELATIONSHIP,
    OVERRIDE,
    RECENT,
    RELATIONSHIPS,
    WITHOUT_ROLE,
    May,
    table,
)
from joinery.calc.succession import EARLIEST, Reach

DIRECT_CARE = "direct_care"
FEED_QUALITY = "feed_quality"
OWN_RECORD = "own_record"
PRIVACY = "privacy"
RECORD_QUALITY = "record_quality"

ROLES = {code: role.words for code, role in table().roles.items()}
PURPOSES = {code: purpose.words for code, purpose in table().purposes.items()}
SENSITIVITIES = {code: sensitivity.words for code, sensitivity in table().sensitivities.items()}
TASKS = {code: task.words for code, task in table().tasks.items()}

# What a refusal can be overcome by in an emergency: all but a role that has no part in care.
OVERRIDABLE = frozenset({"not_involved", "ended", "objected"})


@dataclass(frozen=True, slots=True)
class Involvement:
    """An organisation (its code) has been involved with the person since a day.

    `passed`: the organisation ended, and this has gone on to another, which is an involvement of its
    own. Only a post that still waits at the organisation itself meets it then. `ended` is the first day
    on which care no longer went on.
    """

    organisation: str
    began: date
    passed: bool = False
    ended: date | None = None


@dataclass(frozen=True, slots=True)
class Objection:
    """The person does not want an organisation (its code) to see their record; all but the `writer`, to which
    they said so, where it names none."""

    organisation: str = ""
    writer: str = ""

    def refuses(self, places: frozenset[str]) -> bool:
        """True when it keeps out whoever is at these organisations: that of a post, and all that came to it.

        >>> [Objection(writer="A").refuses(frozenset(each)) for each in ("A", "B")]
        [False, True]
        """
        return self.organisation in places if self.organisation else self.writer not in places


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a person, and of the viewer with them, that a decision rests on.

    `override`: the viewer has opened the record in an emergency, and that goes on. `own`: it is the viewer's
    own record (`own`), or that of somebody they act for (`carer`); `withheld_from_own` keeps it from both.
    """

    involved: tuple[Involvement, ...] = ()
    objected: tuple[Objection, ...] = ()
    override: bool = False
    own: str = ""
    withheld_from_own: bool = False


NOTHING_KNOWN = Circumstances()


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

    def wholly(self) -> frozenset[str]:
        """The organisations of which the post meets every involvement."""
        return frozenset(w.organisation for w in self.windows() if w.from_date == EARLIEST and w.to_date is None)


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, its reason as a code, and the post that carried it (None when refused, or when none is needed).

    `inside` are the organisations of which all is read that they wrote, and `reads` what is read of the sensitive
    whoever wrote it. `relationship` is how the viewer stands to the person.
    """

    allowed: bool
    reason: str
    post: Post | None = None
    inside: frozenset[str] = frozenset()
    relationship: str = ""
    reads: frozenset[str] = frozenset()


# How each relationship is called as the reason why a record opened.
REASONS = dict(zip(RELATIONSHIPS, ("involved", "recent", "override", "own", "carer", "reviewer"), strict=True))
# Which stands in the log, when several open the record: that it was an emergency must not be hidden by another.
_FIRST = (OVERRIDE, CURRENT, RECENT, NO_RELATIONSHIP)
# Ways that would have opened it, were it not for this; the first is what the viewer is told.
_CLOSED = ("objected", "ended")


def may_open(posts: tuple[Post, ...], known: Circumstances, purpose: str, on: date) -> Decision:
    """Decide whether a viewer holding `posts` may open a person's record for a purpose on a day.

    Reasons when allowed: `involved`, `recent`, `override`, `own`, `carer`, `reviewer` (whose task may be about
    anybody); when refused: `no_post`, `role`, `purpose`, `not_involved`, `ended`, `objected`, `withheld`.

    >>> since = date(2026, 1, 1)
    >>> known = Circumstances((Involvement("Z90001", since),))
    >>> may_open((Post("gp", "Z90001"),), known, DIRECT_CARE, since).reason
    'involved'
    """
    return _Asked(posts, purpose, on).decide(known)


def may_open_many(
    posts: tuple[Post, ...], people: Mapping[str, Circumstances], purpose: str, on: date
) -> dict[str, Decision]:
    """The decision on each of some people, by their ids: as `may_open`, at less cost for a list."""
    asked = _Asked(posts, purpose, on)
    return {person_id: asked.decide(known) for person_id, known in people.items()}


class _Asked:
    """What a viewer asks: what hangs on their posts alone is worked out once, for many people."""

    def __init__(self, posts: tuple[Post, ...], purpose: str, on: date) -> None:
        self.seats = [_Seat(post, purpose) for post in posts_for(posts, purpose)]
        self.purpose, self.on = purpose, on
        self.refused = self._refusal(posts)

    def _refusal(self, posts: tuple[Post, ...]) -> str:
        """Why nobody opens for these posts, whoever the person is; empty when somebody may."""
        if self.seats or any(("", each, self.purpose) in rules() for each in WITHOUT_ROLE):
            return ""
        if not posts:
            return "no_post"
        return "role" if any(purpose == self.purpose for _, _, purpose in rules()) else "purpose"

    def decide(self, known: Circumstances) -> Decision:
        if self.refused:
            return Decision(False, self.refused)
        if known.own and (rule := rules().get(("", known.own, self.purpose))):
            if known.withheld_from_own:
                return Decision(False, "withheld")
            return Decision(True, REASONS[known.own], None, frozenset(), known.own, frozenset(rule.reads))
        opened: dict[str, Post] = {}
        reads: set[str] = set()
        inside: set[str] = set()
        closed: set[str] = set()
        for seat in self.seats:
            for relationship, organisations in seat.stands(known, self.on).items():
                rule = seat.rules.get(relationship)
                if rule is None:
                    closed.add(relationship)
                    continue
                opened.setdefault(relationship, seat.post)
                if rule.reads:
                    reads.update(rule.reads)
                if rule.reads_own:
                    inside |= organisations
        for relationship in _FIRST:
            if relationship in opened:
                ends = (opened[relationship], frozenset(inside), relationship, frozenset(reads))
                return Decision(True, REASONS[relationship], *ends)
        return Decision(False, next((each for each in _CLOSED if each in closed), "not_involved"))


class _Seat:
    """A post with the rows of the table that are about its role and a purpose."""

    def __init__(self, post: Post, purpose: str) -> None:
        self.post = post
        self.recent_days = recent_days(post.role)
        self.wholly = post.wholly()
        self.places = self.wholly | {post.organisation}
        self.windows: dict[str, list[Reach]] = defaultdict(list)
        for window in post.windows():
            self.windows[window.organisation].append(window)
        found = ((each, rules().get((post.role, each, purpose))) for each in RELATIONSHIPS)
        self.rules = {each: rule for each, rule in found if rule}

    def stands(self, known: Circumstances, on: date) -> dict[str, set[str]]:
        """How the post stands to a person, and whose own entries each way opens; also `ended` and `objected`, where
        a way is closed."""
        found: dict[str, set[str]] = {}
        if NO_RELATIONSHIP in self.rules:
            found[NO_RELATIONSHIP] = set(self.wholly)
        if known.override and OVERRIDE in self.rules:
            found[OVERRIDE] = set(self.wholly)
        windows = self.windows
        met = [each for each in known.involved if each.organisation in windows and self._meets(each, on)]
        if not met:
            return found
        refused = {each.organisation for each in known.objected} if known.objected else ()
        barred = any(each.refuses(self.places) for each in known.objected) if known.objected else False
        for each in met:
            way = self._since(each, on)
            if (barred or each.organisation in refused) and way in self.rules:
                way = "objected"
            if way in found:
                found[way].add(each.organisation)
            else:
                found[way] = {each.organisation}
        return found

    def _meets(self, involvement: Involvement, on: date) -> bool:
        """As `Post.meets`, for a post of which many people are asked; and not before the involvement begins."""
        organisation, began = involvement.organisation, involvement.began
        if began > on or (involvement.passed and organisation != self.post.organisation):
            return False
        return organisation in self.wholly or any(w.holds(organisation, began) for w in self.windows[organisation])

    def _since(self, involvement: Involvement, on: date) -> str:
        ended = involvement.ended
        if ended is None or ended > on:
            return CURRENT
        return RECENT if (on - ended).days < self.recent_days else "ended"


@cache
def rules() -> Mapping[tuple[str, str, str], May]:
    """The row of the table for each role (empty: none is needed), relationship and purpose that opens a record."""
    return {key: row for row in table().may for key in row.about()}


def recent_days(role: str) -> int:
    """For how many days after care has ended a role may still open the record; 0 for a role that is not known.

    >>> recent_days("gp"), recent_days("care_home_manager")
    (30, 0)
    """
    known = table().roles.get(role)
    return known.recent_days if known else 0


def stands_for_group(role: str) -> bool:
    """Whether who holds a role in a group holds it in every home and branch that the group runs.

    >>> stands_for_group("care_home_manager"), stands_for_group("gp")
    (True, False)
    """
    known = table().roles.get(role)
    return known.group if known else False


def posts_for(posts: Iterable[Post], purpose: str) -> tuple[Post, ...]:
    """Those posts whose role may open the records of some people for a purpose."""
    able = {role for role, _, opened in rules() if opened == purpose}
    return tuple(post for post in posts if post.role in able)


def may_list(post: Post) -> Decision:
    """The decision for a list of people whom `post` meets: of restricted entries, only those of
    organisations that it meets whenever an involvement began."""
    return Decision(True, "involved", post, post.wholly(), CURRENT)


def may_read(sensitivity: str, source_organisation: str, decision: Decision, granted: bool = False) -> bool:
    """Whether one entry may be read that an organisation (its code) wrote; an empty sensitivity is ordinary.

    `granted`: who asked was given this entry to read. What is sensitive in a way that the table does not know is
    read by nobody.
    """
    if not decision.allowed or not sensitivity:
        return decision.allowed
    known = table().sensitivities.get(sensitivity)
    if known is None or not known.writer:
        return False
    return granted or sensitivity in decision.reads or source_organisation in decision.inside


def may_do(posts: Iterable[Post], task: str) -> Decision:
    """Decide whether a viewer may do a task that is not about opening a record: the first of their posts that may.

    Reasons: `duty` (allowed), `no_post`, `role`. Raises KeyError for a task that the table does not have.

    >>> may_do([Post("integration_lead", "E06900001")], "arrange").reason
    'duty'
    """
    posts = tuple(posts)
    for post in posts_with(posts, task):
        return Decision(True, "duty", post)
    return Decision(False, "role" if posts else "no_post")


def posts_with(posts: Iterable[Post], task: str) -> tuple[Post, ...]:
    """Those posts whose role does a task. Raises KeyError for a task that the table does not have."""
    able = _duties()[task]
    return tuple(post for post in posts if post.role in able)


@cache
def _duties() -> Mapping[str, frozenset[str]]:
    """The roles that do each task."""
    rows = table().duty
    return {task: frozenset(role for row in rows if task in row.tasks for role in row.roles) for task in TASKS}


def roles_given_by(role: str) -> tuple[str, ...]:
    """The roles that somebody with a role may give to others, in the order of the table."""
    known = table().roles.get(role)
    return known.gives if known else ()


def may_override(posts: Iterable[Post]) -> Decision:
    """Decide whether a viewer may open any record in an emergency: the first of their posts that cares for people.

    To be offered when a decision was refused for a reason in OVERRIDABLE. Reasons: `override` (allowed), `no_post`,
    `role`.

    >>> may_override([Post("analyst", "E06900001")]).reason
    'role'
    """
    posts = tuple(posts)
    post = next((post for post in posts if (post.role, OVERRIDE, DIRECT_CARE) in rules()), None)
    if post:
        return Decision(True, "override", post, relationship=OVERRIDE)
    return Decision(False, "role" if posts else "no_post")


def may_arrange(posts: tuple[Post, ...]) -> bool:
    """Whether the viewer may change the directory: bodies, proposals, what waits for a decision."""
    return may_do(posts, "arrange").allowed


def may_review(posts: tuple[Post, ...]) -> Decision:
    """Decide whether a viewer may compare records that wait and say who is who, for `record_quality` alone.

    Wrongly joined records may be anybody's, so no involvement is asked for; what is restricted stays so
    outside the viewer's own organisation. Reasons: `reviewer` (allowed), `no_post`, `role`.

    >>> may_review((Post("records_officer", "E06900001"),)).reason
    'reviewer'
    """
    return may_open(posts, NOTHING_KNOWN, RECORD_QUALITY, EARLIEST)


def may_mend(posts: tuple[Post, ...], sender: str, secondary_use: bool = False) -> Decision:
    """Decide whether a viewer may see and correct what an organisation (its code) sent and was not taken.

    It may be about anybody: so an integration lead may, and whoever cares for people at the sender, which knows it
    already. What was sent for secondary use only a lead may see. Reasons: `sender` (allowed), `no_post`, `role`,
    `not_sender`, `secondary_use`.

    >>> may_mend((Post("social_worker", "E06900001"),), "E06900001").allowed
    True
    """
    lead, own = may_do(posts, "any_feeds"), may_do(posts, "own_feeds")
    if lead.allowed:
        return Decision(True, "sender", lead.post)
    if not own.allowed or secondary_use:
        return Decision(False, "secondary_use" if own.allowed else own.reason)
    for post in posts_with(posts, "own_feeds"):
        if sender in post.wholly():
            return Decision(True, "sender", post)
    return Decision(False, "not_sender")
