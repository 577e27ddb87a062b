"""Referrals as they stand: where each is, whose turn it is, and who holds it now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from joinery.apps.base.columns import as_moment, select
from joinery.apps.care.owners import IN_TIME, LONG_OVERDUE, OVERDUE, Owner, Turn
from joinery.apps.care.rules import climbs_at, rules_on
from joinery.apps.care.services import Offered, offered
from joinery.apps.care.states import SENDER, SERVICE, STATES, Step, steps_from
from joinery.apps.place import facts as place
from joinery.apps.record import facts as record

NOBODY = "nobody: there is no one in the place"
OVER = tuple(state for state, said in STATES.items() if not said.waits_for)


@dataclass(frozen=True, slots=True)
class Referral:
    """A referral as it stands at a moment, without a word about the person.

    `waits_for` is the side whose turn it is (`sender`, `service`; empty when it is over), `owners` who holds it now,
    and `climbed` how far it has gone further because it is overdue (`manager`, `co_ordinator`). `body` runs the
    service today; `sender_body` is where it was sent from, under its name of today. `sender_ids` and `service_ids`
    may act for each side; so many notes wait to be seen by each.
    """

    referral_id: int
    code: str
    record_id: int
    person_id: str
    number: int
    state: str
    waits_for: str
    service: str
    service_name: str
    service_kind: str
    body: str
    body_name: str
    user_id: int | None
    user_name: str
    sender_id: int | None
    sender_name: str
    sender_body: str
    sender_body_name: str
    from_service: str
    from_service_name: str
    urgency: str
    urgency_text: str
    asked_at: datetime
    at: datetime
    since_at: datetime
    due_at: datetime | None
    overdue: bool
    climbed: str
    owners: tuple[Owner, ...]
    sender_ids: frozenset[int]
    service_ids: frozenset[int]
    notes_for_sender: int
    notes_for_service: int
    area: str

    @property
    def state_text(self) -> str:
        """Where it stands, in words."""
        return STATES[self.state].words

    @property
    def next_step(self) -> str:
        """What comes next, in words; empty when it is over."""
        return STATES[self.state].next_step

    @property
    def owner_names(self) -> str:
        """Who holds it now, in words."""
        return " or ".join(owner.name for owner in self.owners) or NOBODY

    def waits_for_user(self, user_id: int) -> bool:
        """Whether it is this user's turn."""
        return any(owner.user_id == user_id for owner in self.owners)

    def sides_of(self, user_id: int) -> frozenset[str]:
        """The sides for which a user may act."""
        sides = ((SENDER, self.sender_ids), (SERVICE, self.service_ids))
        return frozenset(side for side, users in sides if user_id in users)

    def steps_for(self, user_id: int) -> dict[str, Step]:
        """The steps that a user may take now, by the state that each leads to."""
        return {
            to: step for side in sorted(self.sides_of(user_id)) for to, step in steps_from(self.state, side).items()
        }

    def may_name(self, user_id: int) -> bool:
        """Whether a user may say who of the service takes it on."""
        return self.waits_for == SERVICE and user_id in self.service_ids

    def unseen_for(self, user_id: int) -> int:
        """How many notes wait for a user to see them."""
        sides = self.sides_of(user_id)
        return self.notes_for_sender * (SENDER in sides) + self.notes_for_service * (SERVICE in sides)


class _Row(NamedTuple):
    referral_id: int
    code: str
    record_id: int
    number: int
    state: str
    service: str
    user_id: int | None
    user_name: str | None
    since_at: Any
    due_at: Any
    sender_id: int | None
    sender_name: str | None
    sender_body: str
    from_service: str | None
    urgency: str
    asked_at: Any
    at: Any
    area: str
    notes_for_sender: int
    notes_for_service: int


_UNSEEN = (
    "(SELECT COUNT(*) FROM care_referralnote n LEFT JOIN care_noteseen x ON x.note_id = n.id "
    "WHERE n.referral_id = r.id AND n.side = '{}' AND x.note_id IS NULL)"
)
_SELECT = (
    "SELECT r.id, r.code, r.record_id, w.number, w.state, s.code, w.user_id, wu.name, w.since_at, w.due_at, r.user_id, "
    "ru.name, o.code, fs.code, r.urgency, r.asked_at, r.at, r.area, "
    f"{_UNSEEN.format(SERVICE)}, {_UNSEEN.format(SENDER)} "
)
_JOINS = (
    "JOIN care_service s ON s.id = w.service_id JOIN place_organisation o ON o.id = r.organisation_id "
    "LEFT JOIN base_user wu ON wu.id = w.user_id LEFT JOIN base_user ru ON ru.id = r.user_id "
    "LEFT JOIN care_service fs ON fs.id = r.from_service_id "
)
_OPEN = f"{_SELECT}FROM care_openreferral w JOIN care_referral r ON r.id = w.referral_id {_JOINS}WHERE "
# Of one that is over, the step that ended it is the last.
_ENDED = (
    f"{_SELECT.replace('w.since_at', 'w.at', 1)}FROM care_referralstep w JOIN care_referral r ON r.id = w.referral_id "
    f"{_JOINS}WHERE w.state IN ({', '.join(repr(state) for state in OVER)}) AND "
)


def open_referrals(
    at: datetime, where: str, values: Sequence[object], offer: Offered, ended: str = "", more: Sequence[object] = ()
) -> tuple[Referral, ...]:
    """The open referrals (`r`, where each stands `w`) for which a condition holds, what is due first first; and with
    `ended`, those that are over for which that one does."""
    sql = _OPEN + where
    if ended:
        sql += f" UNION ALL {_ENDED}{ended}"
    rows = [_Row._make(row) for row in select(sql, [*values, *more])]
    found = _Standing(at, offer, rows).all() if rows else []
    return tuple(sorted(found, key=lambda each: (each.due_at or each.since_at, each.referral_id)))


def referral_at(code: str, at: datetime, offer: Offered | None = None) -> Referral | None:
    """One referral as it stands, or None."""
    found = open_referrals(at, "r.code = %s", [code], offer or offered(at.date()), "r.code = %s", [code])
    return next(iter(found), None)


class _Standing:
    """Some referrals, with all that it takes to say who holds them. What is the same for many is worked out once."""

    def __init__(self, at: datetime, offer: Offered, rows: Sequence[_Row]) -> None:
        self.at, self.offer, self.rows = at, offer, rows
        agreed = offer.co_ordinators
        self.people = record.people_of({row.record_id for row in rows} | {about for about, _ in agreed})
        self.co_ordinator = {self.people.get(about, ""): user for about, user in agreed}
        self.names = self._body_names()
        self.urgencies = rules_on(at.date()).urgencies
        self.held: dict[tuple[Turn, int], tuple[Owner, ...]] = {}
        self.abled: dict[tuple[Turn, int], frozenset[int]] = {}

    def _body_names(self) -> dict[str, str]:
        bodies = {self.offer.heir(row.sender_body) or row.sender_body for row in self.rows}
        unknown = bodies - set(self.offer.names)
        more = place.organisation_names(unknown, self.at.date()) if unknown else {}
        return {**self.offer.names, **more}

    def all(self) -> list[Referral]:
        """Each as it stands."""
        return [self._referral(row) for row in self.rows]

    def _referral(self, row: _Row) -> Referral:
        services, waits_for = self.offer.services, STATES[row.state].waits_for
        service = services[self.offer.now(row.service)]
        person = self.people.get(row.record_id, "")
        from_service = self.offer.now(row.from_service) if row.from_service else ""
        body = self.offer.heir(row.sender_body)
        co_ordinator = self.co_ordinator.get(person)
        turns = {
            SENDER: Turn(row.sender_id, from_service, body, True, co_ordinator),
            SERVICE: Turn(row.user_id, service.code, self.offer.heir(service.body), False, co_ordinator),
        }
        due = as_moment(row.due_at) if row.due_at and waits_for else None
        climbed = self._climbed(row.urgency, due)
        able = {side: self._able(turn, climbed if side == waits_for else IN_TIME) for side, turn in turns.items()}
        urgency = self.urgencies.get(row.urgency)
        return Referral(
            referral_id=row.referral_id, code=row.code, record_id=row.record_id, person_id=person, number=row.number,
            state=row.state, waits_for=waits_for, service=service.code, service_name=service.name,
            service_kind=service.kind_text, body=service.body, body_name=service.body_name, user_id=row.user_id,
            user_name=row.user_name or "", sender_id=row.sender_id, sender_name=row.sender_name or "",
            sender_body=body or row.sender_body, sender_body_name=self.names.get(body or row.sender_body, ""),
            from_service=from_service, from_service_name=services[from_service].name if from_service else "",
            urgency=row.urgency, urgency_text=urgency.words if urgency else row.urgency,
            asked_at=as_moment(row.asked_at), at=as_moment(row.at), since_at=as_moment(row.since_at), due_at=due,
            overdue=climbed > IN_TIME, climbed=("", "manager", "co_ordinator")[climbed],
            owners=self._owners(turns[waits_for], climbed) if waits_for else (), sender_ids=able[SENDER],
            service_ids=able[SERVICE], notes_for_sender=row.notes_for_sender, notes_for_service=row.notes_for_service,
            area=row.area,
        )  # fmt: skip

    def _climbed(self, urgency: str, due: datetime | None) -> int:
        if due is None or due > self.at:
            return IN_TIME
        return LONG_OVERDUE if climbs_at(urgency, due) <= self.at else OVERDUE

    def _owners(self, turn: Turn, climbed: int) -> tuple[Owner, ...]:
        if (turn, climbed) not in self.held:
            self.held[turn, climbed] = self.offer.here.owners(turn, climbed)
        return self.held[turn, climbed]

    def _able(self, turn: Turn, climbed: int) -> frozenset[int]:
        if (turn, climbed) not in self.abled:
            self.abled[turn, climbed] = self.offer.here.able(turn, climbed)
        return self.abled[turn, climbed]
