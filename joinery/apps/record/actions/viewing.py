"""Opening a view: the decision and the entry in the access log come before anything is read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db import connection

from joinery.apps.base.access_log import Look, Viewing, log_access, open_viewing
from joinery.apps.base.action import Actor, Refused
from joinery.apps.base.columns import marks, select
from joinery.apps.record.circumstances import Situation, situations
from joinery.apps.record.compared import comparable, linking_model
from joinery.apps.record.matching import search
from joinery.apps.record.pairs import whose
from joinery.apps.record.rows import DetailsRow
from joinery.apps.record.sql import details, links, not_sealed, relationships
from joinery.calc.access import (
    DIRECT_CARE,
    NOTHING_KNOWN,
    OVERRIDABLE,
    OWN_RECORD,
    RECORD_QUALITY,
    Circumstances,
    Decision,
    Post,
    may_list,
    may_open,
    may_open_many,
    may_override,
    posts_for,
    recent_days,
)
from joinery.calc.access_table import NO_RELATIONSHIP, OWN
from joinery.calc.linkage.ladder import name_key

# Why not, in words for the person who asked.
REFUSALS = {
    "no_post": "Your account is not attached to an organisation today. Ask your manager to add you.",
    "role": "Your role does not include seeing people's records.",
    "purpose": "Records may be opened for a person's direct care only.",
    "not_involved": "Your organisation is not involved in this person's care, as far as we have been told.",
    "ended": "Your organisation's care for this person has ended, as far as we have been told.",
    "objected": "The person does not want your organisation to see this record.",
    "withheld": "This record is not shown here. Ask a service that looks after you to go through it with you.",
    "no_own_access": "You have not been given access to this record. Ask a service that looks after the person.",
    "own_page": "This page is for staff. Ask a service that looks after you to go through it with you.",
}
# Looks that are not offered to the person: what they show is of other people's records too.
STAFF_ONLY = {"joined"}
MOST_FOUND, MOST_SIMILAR = 50, 10


@dataclass(frozen=True, slots=True)
class Criteria:
    """Whom to find: a number, or a family name with whatever else is known."""

    nhs_number: str = ""
    family_name: str = ""
    given_name: str = ""
    birth_date: date | None = None


class Moved(Exception):
    """The id is an old one: the person goes by another now, and the viewer may open their record."""

    def __init__(self, person_id: str) -> None:
        super().__init__("an old id")
        self.person_id = person_id


class NotOpened(Refused):
    """A record was not opened; `override_offered` when the viewer may open it in an emergency."""

    def __init__(self, reason: str, override_offered: bool) -> None:
        super().__init__(reason, REFUSALS[reason])
        self.override_offered = override_offered


def open_record(
    *,
    person_id: str,
    posts: tuple[Post, ...],
    actor: Actor,
    at: datetime,
    what: str = "opened",
    reviewing: bool = False,
    purpose: str = "",
) -> Viewing:
    """Open one person's record. Raises NotOpened, having logged the refusal.

    For direct care, or by whom it is about or who acts for them; with `reviewing` also by who puts right who is
    who; with a `purpose`, for that alone. An id that belongs to nobody is refused like a person one may not see,
    so that ids cannot be tried. Of an old id the decision is that about the person whom it leads to; Moved is
    raised when they may be seen.
    """
    person_id = person_id.replace("\0", "\ufffd")  # which PostgreSQL cannot hold in a text, and no id has
    asked = _Asked(what, posts, actor, at, reviewing, purpose)
    look, situation = asked.look(person_id)
    if look.decision.relationship in ("", NO_RELATIONSHIP):  # it may be an old id, or nobody's
        now = whose(person_id)
        if now is None:
            look = Look(what, DIRECT_CARE, may_open(posts, NOTHING_KNOWN, DIRECT_CARE, at.date()))
        elif now != person_id:
            person_id, (look, situation) = now, asked.look(now)
            if look.decision.allowed:
                raise Moved(now)
    decision = look.decision
    if decision.allowed:
        places = {body for post in posts for body in (post.organisation, *post.wholly())}
        granted = {item for item, body in situation.granted if body in places}
        kept_back = situation.kept_back if look.purpose == OWN_RECORD else frozenset()
        viewing = open_viewing(actor=actor, at=at, look=look, person_ids=[person_id])
        return replace(viewing, granted=frozenset(granted), kept_back=kept_back)
    log_access(actor=actor, at=at, look=Look("refused", look.purpose, decision), person_ids=[person_id[:32]])
    offered = decision.reason in OVERRIDABLE and look.purpose == DIRECT_CARE and may_override(posts).allowed
    raise NotOpened(decision.reason, offered)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who asks to open a record, and what for."""

    what: str
    posts: tuple[Post, ...]
    actor: Actor
    at: datetime
    reviewing: bool
    purpose: str

    def look(self, person_id: str) -> tuple[Look, Situation]:
        """The look at a person, and what its decision rests on: by the first purpose that opens the record."""
        situation = situations([person_id], self.actor.user_id, self.at)[person_id]
        looks = [Look(self.what, each, self.decide(situation.known, each)) for each in self.purposes(situation.known)]
        return next((look for look in looks if look.decision.allowed), looks[0]), situation

    def purposes(self, known: Circumstances) -> tuple[str, ...]:
        """What the look may be for; the refusal to be told is that of the first."""
        if self.purpose:
            return (self.purpose,)
        if known.own == OWN:
            # Nobody opens their own record by their post: what is kept back from them would open too.
            return (OWN_RECORD,)
        first = (OWN_RECORD,) if known.own else ()
        return (*first, DIRECT_CARE, *((RECORD_QUALITY,) if self.reviewing else ()))

    def decide(self, known: Circumstances, purpose: str) -> Decision:
        """The decision for a purpose."""
        if purpose == OWN_RECORD and not known.own:
            return Decision(False, "no_own_access")
        if purpose == OWN_RECORD and self.what in STAFF_ONLY:
            return Decision(False, "own_page")
        return may_open(self.posts, known, purpose, self.at.date())


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a search found: a viewing of at most 50 people, whether there are `more`, and which of them are only
    `similar` to what was asked for. `elsewhere` is who has the number that was asked for, and is not known to the
    viewer's organisations: the record may be opened in an emergency."""

    viewing: Viewing
    more: bool
    similar: frozenset[str]
    elsewhere: str = ""


def search_people(*, criteria: Criteria, posts: tuple[Post, ...], actor: Actor, at: datetime) -> Found:
    """Find people among those whom the viewer's organisations are involved with, and at most 10 like them.

    Raises Refused when the viewer's role may search for nobody.
    """
    caring = posts_for(posts, DIRECT_CARE)
    if not caring:
        reason = "role" if posts else "no_post"
        log_access(actor=actor, at=at, look=Look("refused", DIRECT_CARE, Decision(False, reason)), person_ids=[])
        raise Refused(reason, REFUSALS[reason])
    found = _find(criteria, caring, at.date())
    more = len(found) > MOST_FOUND
    similar = [] if more else _similar(criteria, caring, at.date(), found)[: MOST_FOUND - len(found)]
    shown = _may_be_shown([*found[:MOST_FOUND], *similar], caring, actor, at)
    elsewhere = "" if shown or not may_override(posts).allowed else _located(criteria.nhs_number)
    look = Look("listed" if shown else "located" if elsewhere else "searched", DIRECT_CARE, may_list(caring[0]))
    if elsewhere:
        event = log_access(actor=actor, at=at, look=look, person_ids=[elsewhere])
        # Nothing of them is shown, so the viewing is of nobody.
        return Found(Viewing(event, actor, at, DIRECT_CARE, look.decision, ()), False, frozenset(), elsewhere)
    viewing = open_viewing(actor=actor, at=at, look=look, person_ids=shown)
    return Found(viewing, more, frozenset(similar))


def list_people(
    *, person_ids: Collection[str], posts: tuple[Post, ...], actor: Actor, at: datetime, what: str = "work_list"
) -> Viewing:
    """A viewing of those of these people whose records the viewer may open: to name them on a list of work.

    Of nobody, and without an entry in the log, where there are none.
    """
    caring = posts_for(posts, DIRECT_CARE)
    shown = _may_be_shown(sorted(set(person_ids)), caring, actor, at) if caring and person_ids else []
    if not shown:
        return Viewing("", actor, at, DIRECT_CARE, Decision(False, "role" if posts else "no_post"), ())
    look = Look(what, DIRECT_CARE, may_list(caring[0]))
    return open_viewing(actor=actor, at=at, look=look, person_ids=shown)


def _may_be_shown(people: list[str], posts: tuple[Post, ...], actor: Actor, at: datetime) -> list[str]:
    """Those of them whose records the viewer may open: somebody may object, or care may have ended too long ago."""
    known = {person: each.known for person, each in situations(people, actor.user_id, at).items()}
    decisions = may_open_many(posts, known, DIRECT_CARE, at.date())
    return [person for person in people if decisions[person].allowed]


def _located(nhs_number: str) -> str:
    """The one person whose records carry an NHS number; empty when there is none, or it is disputed."""
    if not nhs_number:
        return ""
    sql = (
        f"SELECT DISTINCT k.person_id FROM {details()} JOIN {links(on='k.record_id = d.record_id')} "
        "WHERE d.nhs_number = %s AND NOT (d.nhs_number = '')"
    )
    people = [person for (person,) in select(sql, [nhs_number])]
    return people[0] if len(people) == 1 else ""


def _find(criteria: Criteria, posts: tuple[Post, ...], on: date) -> list[str]:
    """Ids of at most 51 people; any details ever published find them, so an old name does too."""
    where: list[str] = []
    values: list[object] = []
    if criteria.nhs_number:
        # The second half is what the index on numbers says of itself; without it SQLite reads every row.
        where.append("d.nhs_number = %s AND NOT (d.nhs_number = '')")
        values.append(criteria.nhs_number)
    for column, name in (("family_key", criteria.family_name), ("given_key", criteria.given_name)):
        key = name_key(name)
        if key:
            # The start of a name is enough; a range uses the index on either database.
            where.append(f"d.{column} >= %s AND d.{column} < %s")
            values += [key, key[:-1] + chr(ord(key[-1]) + 1)]
    if criteria.family_name or criteria.given_name:
        where.append(not_sealed("d", "k.person_id"))
    if criteria.birth_date:
        where.append("d.birth_date = %s")
        values.append(connection.ops.adapt_datefield_value(criteria.birth_date))
    met, met_values = _met(posts, on)
    sql = (
        "SELECT found.person_id FROM (SELECT DISTINCT k.person_id FROM record_details d "
        f"JOIN {links(on='k.record_id = d.record_id')} "
        "JOIN record_submission ds ON ds.id = d.submission_id AND ds.published_at IS NOT NULL "
        f"WHERE {' AND '.join(where) or '1 = 0'}) found WHERE {met} "
        f"ORDER BY found.person_id LIMIT {MOST_FOUND + 1}"
    )
    return [row[0] for row in select(sql, [*values, *met_values])]


def _similar(criteria: Criteria, posts: tuple[Post, ...], on: date, found: Collection[str]) -> list[str]:
    """Ids of at most 10 others whose records are like what was typed, by the model that links records; best first.

    A number or a last name alone is like nobody in particular.
    """
    if not (criteria.given_name or criteria.birth_date):
        return []
    typed = DetailsRow(
        nhs_number=criteria.nhs_number, family_name=criteria.family_name, given_name=criteria.given_name,
        birth_date=criteria.birth_date,
    )  # fmt: skip
    near = search(comparable(typed), linking_model())
    if not near:
        return []
    said = [details_id for details_id, _ in near]
    met, values = _met(posts, on)
    sql = (
        "SELECT found.details_id, found.person_id FROM (SELECT d.id AS details_id, k.person_id "
        f"FROM {details()} JOIN {links(on='k.record_id = d.record_id')} WHERE d.id IN ({marks(said)}) "
        f"AND {not_sealed('d', 'k.person_id')}) found WHERE {met}"
    )
    person_of = dict(select(sql, [*said, *values]))
    people = dict.fromkeys(person_of[details_id] for details_id in said if details_id in person_of)
    return [person for person in people if person not in found][:MOST_SIMILAR]


def _met(posts: tuple[Post, ...], on: date) -> tuple[str, list[object]]:
    """A condition on the people `found`: the posts meet a relationship of theirs; and its values."""
    reached, organisations = _reached(posts)
    day = connection.ops.adapt_datefield_value(on)
    # Which of those that ended a while ago count is decided person by person.
    longest = max((recent_days(post.role) for post in posts), default=0)
    ended = connection.ops.adapt_datefield_value(on - timedelta(days=longest))
    condition = (
        f"EXISTS (SELECT 1 FROM ({relationships('= found.person_id')}) r "
        f"JOIN place_organisation o ON o.id = r.organisation_id WHERE ({' OR '.join(reached)}) "
        "AND r.from_date <= %s AND (r.to_date IS NULL OR r.to_date > %s))"
    )
    return condition, [*([day] * 4), *organisations, day, ended]


def _reached(posts: tuple[Post, ...]) -> tuple[list[str], list[object]]:
    """Conditions on relationships `r` of organisations `o` that the posts meet, and their values.

    The same as `Post.meets`, for the database to apply.
    """
    conditions: list[str] = []
    values: list[object] = []
    windows = {(window, post.organisation == window.organisation) for post in posts for window in post.windows()}
    for window, waits_here in sorted(windows, key=repr):
        meets = "o.code = %s AND r.from_date >= %s"
        values += [window.organisation, connection.ops.adapt_datefield_value(window.from_date)]
        if window.to_date:
            meets += " AND r.from_date < %s"
            values.append(connection.ops.adapt_datefield_value(window.to_date))
        conditions.append(meets if waits_here else f"{meets} AND NOT r.passed")
    return conditions, values
