"""Opening a view: the decision and the entry in the access log come before anything is read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection

from joinery.apps.base.access_log import Look, Viewing, log_access, open_viewing
from joinery.apps.base.action import Actor, Refused
from joinery.apps.base.columns import as_day, marks, select
from joinery.apps.record.compared import comparable, linking_model
from joinery.apps.record.matching import search
from joinery.apps.record.pairs import whose
from joinery.apps.record.rows import DetailsRow
from joinery.apps.record.sql import links, relationships
from joinery.calc.access import (
    CARING_ROLES,
    DIRECT_CARE,
    RECORD_QUALITY,
    Decision,
    Involvement,
    Post,
    may_list,
    may_open,
    may_review,
)
from joinery.calc.linkage.ladder import name_key

# Why not, in words for the person who asked.
REFUSALS = {
    "no_post": "Your account is not attached to an organisation today. Ask your manager to add you.",
    "role": "Your role does not include seeing people's records.",
    "purpose": "Records may be opened for a person's direct care only.",
    "not_involved": "Your organisation is not involved in this person's care, as far as we have been told.",
}
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


def open_record(
    *,
    person_id: str,
    posts: tuple[Post, ...],
    actor: Actor,
    at: datetime,
    what: str = "opened",
    reviewing: bool = False,
) -> Viewing:
    """Open one person's record for direct care. Raises Refused, having logged the refusal.

    An id that belongs to nobody is refused like a person one may not see, so that ids cannot be tried. Of an
    old id the decision is that about the person whom it leads to; Moved is raised when they may be seen.
    With `reviewing`, who puts right who is who may look too, for that purpose.
    """
    person_id = person_id.replace("\0", "\ufffd")  # which PostgreSQL cannot hold in a text, and no id has
    look = _look(what, person_id, posts, at.date(), reviewing)
    if look.purpose != DIRECT_CARE or not look.decision.allowed:
        now = whose(person_id)
        if now is None:
            look = Look(what, DIRECT_CARE, may_open(posts, [], DIRECT_CARE))
        elif now != person_id:
            person_id, look = now, _look(what, now, posts, at.date(), reviewing)
            if look.decision.allowed:
                raise Moved(now)
    if look.decision.allowed:
        return open_viewing(actor=actor, at=at, look=look, person_ids=[person_id])
    log_access(actor=actor, at=at, look=Look("refused", look.purpose, look.decision), person_ids=[person_id[:32]])
    raise Refused(look.decision.reason, REFUSALS[look.decision.reason])


def _look(what: str, person_id: str, posts: tuple[Post, ...], on: date, reviewing: bool) -> Look:
    """A look at a person and its decision: for their care, or else to put right who is who."""
    decision = may_open(posts, _involved(person_id, on), DIRECT_CARE)
    review = may_review(posts)
    if reviewing and review.allowed and not decision.allowed:
        return Look(what, RECORD_QUALITY, review)
    return Look(what, DIRECT_CARE, decision)


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a search found: a viewing of at most 50 people, whether there are `more`, and which of them are only
    `similar` to what was asked for."""

    viewing: Viewing
    more: bool
    similar: frozenset[str]


def search_people(*, criteria: Criteria, posts: tuple[Post, ...], actor: Actor, at: datetime) -> Found:
    """Find people among those whom the viewer's organisations are involved with, and at most 10 like them.

    Raises Refused when the viewer's role may search for nobody.
    """
    caring = tuple(post for post in posts if post.role in CARING_ROLES)
    if not caring:
        reason = "role" if posts else "no_post"
        log_access(actor=actor, at=at, look=Look("refused", DIRECT_CARE, Decision(False, reason)), person_ids=[])
        raise Refused(reason, REFUSALS[reason])
    found = _find(criteria, caring, at.date())
    more = len(found) > MOST_FOUND
    similar = [] if more else _similar(criteria, caring, at.date(), found)[: MOST_FOUND - len(found)]
    shown = [*found[:MOST_FOUND], *similar]
    look = Look("listed" if shown else "searched", DIRECT_CARE, may_list(caring[0]))
    viewing = open_viewing(actor=actor, at=at, look=look, person_ids=shown)
    return Found(viewing, more, frozenset(similar))


def _involved(person_id: str, on: date) -> list[Involvement]:
    """The organisations with a relationship to the person on a day, and since when."""
    day = connection.ops.adapt_datefield_value(on)
    sql = (
        f"SELECT DISTINCT o.code, r.from_date, r.passed FROM ({relationships('%s')}) r "
        "JOIN place_organisation o ON o.id = r.organisation_id "
        "WHERE r.from_date <= %s AND (r.to_date IS NULL OR r.to_date > %s)"
    )
    rows = select(sql, [*([day, day, person_id] * 2), day, day])
    return [Involvement(code, as_day(began) or on, bool(passed)) for code, began, passed in rows]


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
    records = [record for record, _ in near]
    met, values = _met(posts, on)
    sql = (
        "SELECT found.record_id, found.person_id FROM (SELECT k.record_id, k.person_id "
        f"FROM {links()} WHERE k.record_id IN ({marks(records)})) found WHERE {met}"
    )
    person_of = dict(select(sql, [*records, *values]))
    people = dict.fromkeys(person_of[record] for record in records if record in person_of)
    return [person for person in people if person not in found][:MOST_SIMILAR]


def _met(posts: tuple[Post, ...], on: date) -> tuple[str, list[object]]:
    """A condition on the people `found`: the posts meet a relationship of theirs; and its values."""
    reached, organisations = _reached(posts)
    day = connection.ops.adapt_datefield_value(on)
    condition = (
        f"EXISTS (SELECT 1 FROM ({relationships('found.person_id')}) r "
        f"JOIN place_organisation o ON o.id = r.organisation_id WHERE ({' OR '.join(reached)}) "
        "AND r.from_date <= %s AND (r.to_date IS NULL OR r.to_date > %s))"
    )
    return condition, [*([day] * 4), *organisations, day, day]


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
