"""What must go to bodies outside as messages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from joinery.apps.base.columns import marks, select
from joinery.apps.base.facts import place_facts
from joinery.apps.care.states import SENDER, STEPS

# HTTP statuses of what passes by itself though it is the sender's fault: too slow, too many.
PASSES = (408, 429)
_ANSWERS = sorted({to for (_, to), step in STEPS.items() if step.by != SENDER} - {"sent"})
_REQUESTS = sorted({to for (_, to), step in STEPS.items() if step.by == SENDER})


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A step of a referral that a body outside (`to`, its code) has not been told of: it `asks` them, or answers them.

    `source` is the code of the organisation under which the referral is filed.
    """

    code: str
    number: int
    to: str
    source: str
    asks: bool


@place_facts
def undelivered(bodies: Collection[str]) -> tuple[Undelivered, ...]:
    """The steps that must go to these bodies (their codes), oldest first: of a referral that came as a message from
    one, what the service did; and what was asked of a service that one runs."""
    settled = (
        "EXISTS (SELECT 1 FROM care_delivery d WHERE d.referral_id = r.id {} AND (d.status BETWEEN 200 AND 299{}))"
    )
    done = settled.format(
        "AND d.number = p.number AND d.organisation_id = b.id",
        f" OR (d.status BETWEEN 400 AND 499 AND d.status NOT IN ({', '.join(map(str, PASSES))}))",
    )
    last = (
        "JOIN care_referralstep p ON p.referral_id = r.id AND p.number = "
        "(SELECT MAX(n.number) FROM care_referralstep n WHERE n.referral_id = r.id) "
    )
    codes = marks(list(bodies))
    sql = (
        "SELECT r.code, p.number, b.code, b.code, 0, p.id FROM care_referral r "
        f"JOIN place_organisation b ON b.id = r.organisation_id {last} WHERE r.outside_id IS NOT NULL "
        f"AND b.code IN ({codes}) AND p.state IN ({marks(_ANSWERS)}) AND NOT {done} UNION ALL "
        f"SELECT r.code, p.number, b.code, o.code, 1, p.id FROM care_referral r {last} "
        "JOIN place_organisation o ON o.id = r.organisation_id JOIN care_serviceterms t ON t.service_id = p.service_id "
        "AND NOT EXISTS (SELECT 1 FROM care_serviceterms t2 WHERE t2.service_id = t.service_id AND t2.id > t.id) "
        f"JOIN place_organisation b ON b.id = t.organisation_id WHERE r.outside_id IS NULL AND b.code IN ({codes}) "
        f"AND p.state IN ({marks(_REQUESTS)}) AND (p.state = 'sent' OR {settled.format('', '')}) AND NOT {done} "
        "ORDER BY 6"
    )
    rows = select(sql, [*bodies, *_ANSWERS, *bodies, *_REQUESTS])
    return tuple(Undelivered(code, number, to, source, bool(asks)) for code, number, to, source, asks, _ in rows)
