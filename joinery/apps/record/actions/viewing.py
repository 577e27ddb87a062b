"""Opening a view: the decision and the entry in the access log come before anything is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection

from joinery.apps.base.access_log import Look, Viewing, log_access, open_viewing
from joinery.apps.base.action import Actor, Refused
from joinery.apps.base.columns import as_day, select
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
MOST_FOUND = 50


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
        now = current_person(person_id)
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


def search_people(*, criteria: Criteria, posts: tuple[Post, ...], actor: Actor, at: datetime) -> tuple[Viewing, bool]:
    """Find people among those whom the viewer's organisations are involved with.

    Returns a viewing of those found (at most 50) and whether there are more. Raises Refused when the
    viewer's role may search for nobody.
    """
    caring = tuple(post for post in posts if post.role in CARING_ROLES)
    if not caring:
        reason = "role" if posts else "no_post"
        log_access(actor=actor, at=at, look=Look("refused", DIRECT_CARE, Decision(False, reason)), person_ids=[])
        raise Refused(reason, REFUSALS[reason])
    found = _find(criteria, caring, at.date())
    look = Look("listed" if found else "searched", DIRECT_CARE, may_list(caring[0]))
    viewing = open_viewing(actor=actor, at=at, look=look, person_ids=found[:MOST_FOUND])
    return viewing, len(found) > MOST_FOUND


def current_person(person_id: str) -> str | None:
    """Where an id leads now: to whom the record that founded it is about. None when it is nobody's."""
    sql = (
        f"SELECT k.person_id FROM {links()} WHERE k.record_id = (SELECT f.record_id FROM record_link f "
        "JOIN record_submission fs ON fs.id = f.submission_id AND fs.published_at IS NOT NULL "
        "WHERE f.person_id = %s ORDER BY f.id LIMIT 1)"
    )
    return next((str(person) for (person,) in select(sql, [person_id])), None)


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
    reached, organisations = _reached(posts)
    day = connection.ops.adapt_datefield_value(on)
    sql = (
        "SELECT found.person_id FROM (SELECT DISTINCT k.person_id FROM record_details d "
        f"JOIN {links(on='k.record_id = d.record_id')} "
        "JOIN record_submission ds ON ds.id = d.submission_id AND ds.published_at IS NOT NULL "
        f"WHERE {' AND '.join(where) or '1 = 0'}) found "
        f"WHERE EXISTS (SELECT 1 FROM ({relationships('found.person_id')}) r "
        f"JOIN place_organisation o ON o.id = r.organisation_id WHERE ({' OR '.join(reached)}) "
        "AND r.from_date <= %s AND (r.to_date IS NULL OR r.to_date > %s)) "
        f"ORDER BY found.person_id LIMIT {MOST_FOUND + 1}"
    )
    return [row[0] for row in select(sql, [*values, *([day] * 4), *organisations, day, day])]


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
