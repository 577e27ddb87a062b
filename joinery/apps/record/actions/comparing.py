"""Opening a pair of records that wait, side by side: the decision and the log come before anything is read."""

from __future__ import annotations

from datetime import datetime

from joinery.apps.base.access_log import Look, Viewing, log_access, open_viewing
from joinery.apps.base.action import Actor, Refused
from joinery.apps.base.columns import select
from joinery.apps.record.sql import links
from joinery.calc.access import RECORD_QUALITY, Post, may_review

# Why not, in words for the person who asked.
REVIEW_REFUSALS = {
    "no_post": "Your account is not attached to an organisation today. Ask your manager to add you.",
    "role": "Two records side by side may be anybody's: only a records officer may compare them.",
    "absent": "These two records do not wait for anybody.",
}


def open_pair(*, record_id: int, other_id: int, posts: tuple[Post, ...], actor: Actor, at: datetime) -> Viewing:
    """Open a viewing of the people of two records that wait or waited. Raises Refused, having logged the refusal.

    Only such a pair opens: nobody goes through records by their numbers.
    """
    decision = may_review(posts)
    people = _people(record_id, other_id) if decision.allowed else []
    if people:
        look = Look("compared", RECORD_QUALITY, decision)
        return open_viewing(actor=actor, at=at, look=look, person_ids=people)
    reason = "absent" if decision.allowed else decision.reason
    if not decision.allowed:
        log_access(actor=actor, at=at, look=Look("refused", RECORD_QUALITY, decision), person_ids=[])
    raise Refused(reason, REVIEW_REFUSALS[reason])


def open_queue(*, posts: tuple[Post, ...]) -> None:
    """Decide whether a viewer may see what waits, which names nobody. Raises Refused."""
    decision = may_review(posts)
    if not decision.allowed:
        raise Refused(decision.reason, REVIEW_REFUSALS[decision.reason])


def _people(record_id: int, other_id: int) -> list[str]:
    """Whom the two records of a pair are about, one or two people; none when the pair never waited."""
    sql = (
        f"SELECT DISTINCT k.person_id FROM {links()} WHERE k.record_id IN (%s, %s) AND EXISTS (SELECT 1 "
        "FROM record_reviewitem i JOIN record_submission i_s ON i_s.id = i.submission_id "
        "AND i_s.published_at IS NOT NULL WHERE i.record_id = %s AND i.other_id = %s) ORDER BY k.person_id"
    )
    return [person for (person,) in select(sql, [record_id, other_id, record_id, other_id])]
