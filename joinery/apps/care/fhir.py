"""Care as FHIR R4: what was asked (ServiceRequest), what has become of it (Task), the care that came of it
(EpisodeOfCare), and who takes part in it (CareTeam).

What is about a referral has its code as id. Who asked and who was asked are named by the codes of their bodies.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db import connection

from joinery.apps.base.action import Actor
from joinery.apps.base.columns import as_moment, marks, select
from joinery.apps.care.facts.team import ENDED, HOLDS, PartHeld, parts_on
from joinery.apps.care.involved import involved_bodies
from joinery.apps.care.rules import rules_on
from joinery.apps.care.states import STATES
from joinery.apps.place import facts as place
from joinery.apps.record import actions as record
from joinery.calc.involvement import GOES_ON, NOTHING, OVER

ODS_CODE = "https://fhir.nhs.uk/Id/ods-organization-code"
TASK_CODE = "http://hl7.org/fhir/CodeSystem/task-code"
# FHIR's own words for each state. Source: FHIR R4, request-status and task-status.
REQUEST_STATUS: Mapping[str, str] = {
    "sent": "active", "acknowledged": "active", "returned": "on-hold", "accepted": "active", "declined": "revoked",
    "started": "active", "ended": "completed", "closed": "revoked", "withdrawn": "revoked",
}  # fmt: skip
TASK_STATUS: Mapping[str, str] = {
    "sent": "requested", "acknowledged": "received", "returned": "on-hold", "accepted": "accepted",
    "declined": "rejected", "started": "in-progress", "ended": "completed", "closed": "rejected",
    "withdrawn": "cancelled",
}  # fmt: skip
# By our codes of urgencies; any other is routine. Source: FHIR R4, request-priority.
PRIORITY: Mapping[str, str] = {"two_hours": "asap", "today": "urgent", "two_days": "urgent"}
ASKED = "People of this organisation work in a service that was asked to help, or is to meet about the person"

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A referral as it stands: all that its resources say. Bodies are as they are called today."""

    code: str
    record_id: int
    sender_id: int
    sender: place.Brief
    service_name: str
    kind_text: str
    body: place.Brief
    urgency: str
    reason: str
    words: str
    sent_at: datetime
    outside_id: str
    follows: str
    state: str
    step_reason: str
    step_words: str
    stepped_at: datetime
    due_at: datetime | None
    started_at: datetime | None

    @property
    def over(self) -> bool:
        """Whether nobody is to do anything more."""
        return not STATES[self.state].waits_for


def file_referrals(*, referral_ids: Collection[int], actor: Actor, at: datetime) -> set[int]:
    """File referrals as they stand now under the people's records, and what each says of care: it goes on until the
    referral is over, for who asked and for who runs the service. Returns the records."""
    filings: dict[int, list[record.Filing]] = defaultdict(list)
    found = _asked(referral_ids, at)
    for asked in found:
        says = OVER if asked.over else GOES_ON
        # What came from outside stands in the timeline as it was sent.
        line = not asked.outside_id
        filings[asked.sender_id] += [
            record.Filing(asked.record_id, orjson.dumps(service_request(asked)), says, asked.body.code, line),
            record.Filing(asked.record_id, orjson.dumps(task(asked))),
        ]
        if asked.started_at:
            episode = orjson.dumps(episode_of_care(asked, asked.started_at))
            filings[asked.sender_id].append(record.Filing(asked.record_id, episode))
    for sender_id, those in sorted(filings.items()):
        record.file_resources(organisation_id=sender_id, filings=those, actor=actor, at=at)
    return {asked.record_id for asked in found}


def file_team(*, record_id: int, actor: Actor, at: datetime) -> None:
    """File who takes part in a person's care, as it is now, under their record: a CareTeam for each organisation. Who
    has none stands in the home body's."""
    home = place.home(place.as_at(at.date()))
    codes = {part.organisation or (home.code if home else "") for part in parts_on([record_id], at)}
    file_teams(about={(record_id, code) for code in codes - {""}}, actor=actor, at=at)


def file_teams(*, about: Collection[tuple[int, str]], actor: Actor, at: datetime) -> None:
    """File the CareTeams of some organisations (codes) for the people of some records. Each says that care goes on
    while anybody there has a part, or the organisation is involved because of what was asked of its people."""
    as_at, records = place.as_at(at.date()), sorted({record_id for record_id, _ in about})
    home = place.home(as_at)
    parts: dict[tuple[int, str], list[PartHeld]] = defaultdict(list)
    for part in parts_on(records, at):
        if part.state in (HOLDS, ENDED):
            parts[part.record_id, part.organisation or (home.code if home else "")].append(part)
    asked = involved_bodies(records)
    bodies = place.by_codes(sorted({code for _, code in about}), as_at)
    filings: dict[int, list[record.Filing]] = defaultdict(list)
    for record_id, code in sorted(about):
        held = parts[record_id, code]
        goes_on = (record_id, code) in asked or any(part.holds and part.organisation for part in held)
        # The home body cares for nobody because their daughter does.
        says = GOES_ON if goes_on else OVER if not held or any(part.organisation for part in held) else NOTHING
        team = care_team(record_id, bodies[code], held, (record_id, code) in asked, at)
        filings[bodies[code].id].append(record.Filing(record_id, orjson.dumps(team), says))
    for organisation_id, those in sorted(filings.items()):
        record.file_resources(organisation_id=organisation_id, filings=those, actor=actor, at=at)


def care_team(record_id: int, body: place.Brief, parts: Sequence[PartHeld], asked: bool, at: datetime) -> Resource:
    """Who of an organisation takes part in a person's care, or did, as a CareTeam; also, when it was `asked`, because
    its people work in a service that was."""
    return _filled(
        {
            "resourceType": "CareTeam",
            "id": f"{record_id}",
            "meta": {"lastUpdated": _instant(at)},
            "status": "active" if asked or any(part.holds for part in parts) else "inactive",
            "subject": {"reference": f"Patient/{record_id}"},
            "participant": [_participant(part) for part in parts] or None,
            "reasonCode": [{"text": ASKED}] if asked else None,
            "managingOrganization": [_body(body)],
        }
    )


def _participant(part: PartHeld) -> Resource:
    period = {"start": part.from_date.isoformat()}
    if part.state == ENDED and part.until_at and part.until_at.date() >= part.from_date:
        period["end"] = _instant(part.until_at)
    return {"role": [{"text": part.part_text}], "member": {"display": part.name}, "period": period}


def service_request(asked: Asked) -> Resource:
    """What was asked, as a ServiceRequest."""
    return _filled(
        {
            "resourceType": "ServiceRequest",
            "id": asked.code,
            "meta": {"lastUpdated": _instant(asked.stepped_at)},
            "identifier": [{"value": asked.outside_id}] if asked.outside_id else None,
            "replaces": [{"reference": f"ServiceRequest/{asked.follows}"}] if asked.follows else None,
            "status": REQUEST_STATUS[asked.state],
            "intent": "order",
            "category": [{"text": asked.kind_text}],
            "priority": PRIORITY.get(asked.urgency, "routine"),
            "code": {"text": asked.service_name},
            "subject": _subject(asked),
            "authoredOn": _instant(asked.sent_at),
            "requester": _body(asked.sender),
            "performer": [_body(asked.body)],
            "reasonCode": [{"text": asked.reason}] if asked.reason else None,
            "note": [{"text": asked.words}] if asked.words else None,
        }
    )


def task(asked: Asked) -> Resource:
    """What has become of it, as a Task."""
    reasons = rules_on(asked.stepped_at.date()).reasons.get(asked.state, {})
    why = ". ".join(filter(None, (reasons.get(asked.step_reason, ""), asked.step_words)))
    return _filled(
        {
            "resourceType": "Task",
            "id": asked.code,
            "meta": {"lastUpdated": _instant(asked.stepped_at)},
            "status": TASK_STATUS[asked.state],
            "statusReason": {"text": why} if why else None,
            "businessStatus": {"text": STATES[asked.state].words},
            "intent": "order",
            "priority": PRIORITY.get(asked.urgency, "routine"),
            "code": {"coding": [{"system": TASK_CODE, "code": "fulfill"}]},
            "focus": {"reference": f"ServiceRequest/{asked.code}"},
            "for": _subject(asked),
            "authoredOn": _instant(asked.sent_at),
            "lastModified": _instant(asked.stepped_at),
            "requester": _body(asked.sender),
            "owner": _body(asked.body),
            "restriction": {"period": {"end": _instant(asked.due_at)}} if asked.due_at else None,
        }
    )


def episode_of_care(asked: Asked, started_at: datetime) -> Resource:
    """The care that a service gives since it saw the person first, as an EpisodeOfCare."""
    period = {"start": _instant(started_at)} | ({"end": _instant(asked.stepped_at)} if asked.over else {})
    return _filled(
        {
            "resourceType": "EpisodeOfCare",
            "id": asked.code,
            "meta": {"lastUpdated": _instant(asked.stepped_at)},
            "status": "finished" if asked.over else "active",
            "type": [{"text": asked.service_name}],
            "patient": _subject(asked),
            "managingOrganization": _body(asked.body),
            "period": period,
            "referralRequest": [{"reference": f"ServiceRequest/{asked.code}"}],
        }
    )


def _asked(referral_ids: Collection[int], at: datetime) -> list[Asked]:
    day = connection.ops.adapt_datefield_value(at.date())
    rows = select(
        "SELECT r.code, r.record_id, r.organisation_id, r.urgency, r.reason, r.words, r.at, r.outside_id, f.code, "
        "p.state, p.reason, p.words, p.at, p.due_at, b.at, t.name, t.kind, t.organisation_id FROM care_referral r "
        "JOIN care_referralstep p ON p.referral_id = r.id AND NOT EXISTS (SELECT 1 FROM care_referralstep p2 "
        "WHERE p2.referral_id = r.id AND p2.number > p.number) "
        "JOIN care_serviceterms t ON t.id = (SELECT n.id FROM care_serviceterms n WHERE n.service_id = p.service_id "
        "AND n.from_date <= %s ORDER BY n.from_date DESC, n.id DESC LIMIT 1) "
        "LEFT JOIN care_referralstep b ON b.referral_id = r.id AND b.state = 'started' AND NOT EXISTS "
        "(SELECT 1 FROM care_referralstep b2 WHERE b2.referral_id = r.id AND b2.state = 'started' "
        "AND b2.number < b.number) LEFT JOIN care_referral f ON f.id = r.follows_id "
        f"WHERE r.id IN ({marks(list(referral_ids))}) ORDER BY r.id",
        [day, *referral_ids],
    )
    now = _now({body for row in rows for body in (row[2], row[-1])}, at)
    return [_read(row, now, at) for row in rows]


def _read(row: tuple[Any, ...], now: Mapping[int, place.Brief], at: datetime) -> Asked:
    code, record_id, sender_id, urgency, reason, words, sent_at, outside_id, follows, *step = row
    state, step_reason, step_words, stepped_at, due_at, started_at, name, kind, runs_id = step
    kind_text = rules_on(at.date()).kinds.get(kind, kind)
    return Asked(
        code, record_id, sender_id, now[sender_id], name, kind_text, now[runs_id], urgency, reason, words,
        as_moment(sent_at), outside_id or "", follows or "", state, step_reason, step_words, as_moment(stepped_at),
        as_moment(due_at) if due_at else None, as_moment(started_at) if started_at else None,
    )  # fmt: skip


def _now(body_ids: Collection[int], at: datetime) -> dict[int, place.Brief]:
    """These bodies, or who took over from each by now."""
    as_at = place.as_at(at.date())
    named = place.briefs(body_ids, as_at)
    lineage = place.lineage([body.code for body in named.values()], as_at)
    heirs = {body.id: lineage.heir(body.code, at.date()) or body.code for body in named.values()}
    known = {body.code: body for body in named.values()}
    if missing := set(heirs.values()) - known.keys():
        known |= place.by_codes(missing, as_at)
    return {body_id: known[heir] for body_id, heir in heirs.items()}


def _subject(asked: Asked) -> Resource:
    """The person, by the record on which the referral hangs: it stays theirs whoever they turn out to be."""
    return {"reference": f"Patient/{asked.record_id}"}


def _body(body: place.Brief) -> Resource:
    return {"identifier": {"system": ODS_CODE, "value": body.code}, "display": body.name}


def _instant(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else ""


def _filled(resource: Resource) -> Resource:
    return {name: value for name, value in resource.items() if value is not None}
