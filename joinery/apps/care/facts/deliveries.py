"""What must go to bodies outside as messages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from joinery.apps.base.columns import as_moment, marks, select
from joinery.apps.base.facts import place_facts
from joinery.apps.care.states import SENDER, STEPS

# HTTP statuses that say nothing of the message: a key that serves no more, too slow, too many. It goes again.
PASSES = (401, 408, 429)
_ANSWERS = sorted({to for (_, to), step in STEPS.items() if step.by != SENDER} - {"sent"})
_REQUESTS = sorted({to for (_, to), step in STEPS.items() if step.by == SENDER})


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A step of a referral that a body outside (`to`, its code) has not been told of: it `asks` them, or answers them.

    `source` is the code of the organisation under which the referral is filed, `service` that of the service that it
    is with. It has waited since a moment, and was tried so many times in vain, the last time at `tried_at`.
    """

    code: str
    number: int
    to: str
    source: str
    asks: bool
    service: str
    since_at: datetime
    failures: int
    tried_at: datetime | None


_OF_THIS = "d.referral_id = r.id AND d.number = p.number AND d.organisation_id = b.id"
_TRIED = (
    f"v.code, p.at, (SELECT COUNT(*) FROM care_delivery d WHERE {_OF_THIS}), "
    f"(SELECT MAX(d.at) FROM care_delivery d WHERE {_OF_THIS})"
)
_SETTLED = "EXISTS (SELECT 1 FROM care_delivery d WHERE d.referral_id = r.id {} AND (d.status BETWEEN 200 AND 299{}))"
_DONE = _SETTLED.format(
    "AND d.number = p.number AND d.organisation_id = b.id",
    f" OR (d.status BETWEEN 400 AND 499 AND d.status NOT IN ({', '.join(map(str, PASSES))}))",
)
_LAST = (
    "JOIN care_referralstep p ON p.referral_id = r.id AND p.number = "
    "(SELECT MAX(n.number) FROM care_referralstep n WHERE n.referral_id = r.id) "
    "JOIN care_service v ON v.id = p.service_id "
)


@place_facts
def undelivered(bodies: Collection[str], code: str = "") -> tuple[Undelivered, ...]:
    """The steps that must go to these bodies (their codes), oldest first: of a referral that came as a message from
    one, what the service did; and what was asked of a service that one runs. With `code`, of one referral alone."""
    codes, only = marks(list(bodies)), "AND r.code = %s" if code else ""
    sql = (
        f"SELECT r.code, p.number, b.code, b.code, 0, {_TRIED}, p.id FROM care_referral r "
        f"JOIN place_organisation b ON b.id = r.organisation_id {_LAST} WHERE r.outside_id IS NOT NULL "
        f"AND b.code IN ({codes}) AND p.state IN ({marks(_ANSWERS)}) AND NOT {_DONE} {only} UNION ALL "
        f"SELECT r.code, p.number, b.code, o.code, 1, {_TRIED}, p.id FROM care_referral r {_LAST} "
        "JOIN place_organisation o ON o.id = r.organisation_id JOIN care_serviceterms t ON t.service_id = p.service_id "
        "AND NOT EXISTS (SELECT 1 FROM care_serviceterms t2 WHERE t2.service_id = t.service_id AND t2.id > t.id) "
        f"JOIN place_organisation b ON b.id = t.organisation_id WHERE r.outside_id IS NULL AND b.code IN ({codes}) "
        f"AND p.state IN ({marks(_REQUESTS)}) AND (p.state = 'sent' OR {_SETTLED.format('', '')}) AND NOT {_DONE} "
        f"{only} ORDER BY 10"
    )
    named = [code] if code else []
    rows = select(sql, [*bodies, *_ANSWERS, *named, *bodies, *_REQUESTS, *named])
    return tuple(
        Undelivered(
            code, number, to, source, bool(asks), service, as_moment(since), failures,
            as_moment(tried) if tried else None,
        )
        for code, number, to, source, asks, service, since, failures, tried, _ in rows
    )  # fmt: skip
