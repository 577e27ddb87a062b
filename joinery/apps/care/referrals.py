"""Referrals as they stand: where each is, whose turn it is, and who holds it now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

from joinery.apps.base.columns import as_moment, marks, select
from joinery.apps.care.owners import IN_TIME, LONG_OVERDUE, OVERDUE, Owner, Turn
from joinery.apps.care.rules import climbs_at, rules_on
from joinery.apps.care.services import Offered, ServiceNow, offered
from joinery.apps.care.states import SENDER, SERVICE, STATES, Step, steps_from
from joinery.apps.place import facts as place
from joinery.apps.record import facts as record

NOBODY = "nobody: there is no one in the place"
_WAITS_FOR = {state: said.waits_for for state, said in STATES.items()}
_CLIMBED = ("", "manager", "co_ordinator")
OVER = tuple(state for state, said in STATES.items() if not said.waits_for)


class Referral(NamedTuple):
    """A referral as it stands at a moment, without a word about the person.

    `waits_for` is the side whose turn it is (`sender`, `service`; empty when it is over), `owners` who holds it now,
    and `climbed` how far it has gone further because it is overdue (`manager`, `co_ordinator`). `body` runs the
    service today; `sender_body` is where it was sent from, under its name of today. `sender_ids` and `service_ids`
    may act for each side; so many notes wait to be seen by each. Moments as the database gives them (`asked`, `since`,
    `due`) are read when they are asked for: a list is long, and shows few.
    """

    # In the order of the database's columns.
    referral_id: int
    code: str
    record_id: int
    number: int
    state: str
    urgency: str
    area: str
    asked: Any
    since: Any
    notes_for_sender: int
    notes_for_service: int
    # What many have in common: the service and who took it on, who sent it, and who may act.
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
    waits_for: str
    climbed: str
    owners: tuple[Owner, ...]
    sender_ids: frozenset[int]
    service_ids: frozenset[int]
    # What is worked out of each.
    person_id: str
    urgency_text: str
    due: Any

    @property
    def overdue(self) -> bool:
        """Whether its next step should have been taken by now."""
        return bool(self.climbed)

    @property
    def asked_at(self) -> datetime:
        """When help was first asked for."""
        return as_moment(self.asked)

    @property
    def since_at(self) -> datetime:
        """Since when it stands where it does."""
        return as_moment(self.since)

    @property
    def due_at(self) -> datetime | None:
        """By when its next step is due; None when it is over."""
        return as_moment(self.due) if self.due else None

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


# How many notes of each side nobody of the other has seen yet: few, of few referrals.
_UNSEEN = (
    f"LEFT JOIN (SELECT n.referral_id, SUM(CASE WHEN n.side = '{SERVICE}' THEN 1 ELSE 0 END) AS for_sender, "
    f"SUM(CASE WHEN n.side = '{SENDER}' THEN 1 ELSE 0 END) AS for_service FROM care_unseennote n "
    "GROUP BY n.referral_id) u ON u.referral_id = r.id "
)
# Of a referral so many columns come first; then those of whom it is with, and by when. Moments come as text, which
# costs SQLite less.
_OWN, _DUE = 11, 16
_SELECT = (
    "SELECT r.id, r.code, r.record_id, w.number, w.state, r.urgency, r.area, CAST(r.asked_at AS TEXT), "
    "CAST({since} AS TEXT), COALESCE(u.for_sender, 0), COALESCE(u.for_service, 0), "
    "w.service_id, w.user_id, r.user_id, o.code, r.from_service_id, COALESCE(CAST(w.due_at AS TEXT), '') "
)
_JOINS = f"JOIN place_organisation o ON o.id = r.organisation_id {_UNSEEN}"
_OPEN = (
    f"{_SELECT.format(since='w.since_at')}FROM care_openreferral w "
    f"JOIN care_referral r ON r.id = w.referral_id {_JOINS}WHERE "
)
# Of one that is over, the step that ended it is the last.
_ENDED = (
    f"{_SELECT.format(since='w.at')}FROM care_referralstep w JOIN care_referral r ON r.id = w.referral_id "
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
    rows = select(sql, [*values, *more])
    rows.sort(key=itemgetter(_DUE, 0))
    return _Standing(at, offer, rows).all() if rows else ()


def referral_at(code: str, at: datetime, offer: Offered | None = None) -> Referral | None:
    """One referral as it stands, or None."""
    found = open_referrals(at, "r.code = %s", [code], offer or offered(at.date()), "r.code = %s", [code])
    return next(iter(found), None)


class _Standing:
    """Some referrals, with all that it takes to say who holds them. What is the same for many is worked out once."""

    def __init__(self, at: datetime, offer: Offered, rows: Sequence[tuple[Any, ...]]) -> None:
        self.at, self.offer, self.rows = at, offer, rows
        self.tomorrow = (at + timedelta(days=1)).date().isoformat()  # whatever zone the database tells moments in
        agreed = offer.co_ordinators
        self.people = record.people_of({row[2] for row in rows} | {about for about, _ in agreed})
        self.co_ordinator = {self.people.get(about, ""): user for about, user in agreed}
        self.services = {each.service_id: each for each in offer.services.values()}
        self.names = self._body_names()
        self.users = self._user_names()
        rules = rules_on(at.date())
        self.urgencies = {code: urgency.words for code, urgency in rules.urgencies.items()}
        self.shared: dict[tuple[Any, ...], tuple[Any, ...]] = {}

    def _body_names(self) -> dict[str, str]:
        """What bodies are called; one to which neither a service nor anybody of the place belongs is asked for."""
        sent_from = {row[14] for row in self.rows}
        unknown = {self.offer.heir(code) or code for code in sent_from} - set(self.offer.names)
        more = place.organisation_names(unknown, self.at.date()) if unknown else {}
        return {**self.offer.names, **more}

    def _user_names(self) -> dict[int, str]:
        """What users are called; one who is no longer of the place is asked for."""
        of_rows = {user for row in self.rows for user in (row[12], row[13]) if user is not None}
        left = sorted(of_rows - self.offer.here.names.keys())
        more = select(f"SELECT id, name FROM base_user WHERE id IN ({marks(left)})", left) if left else ()
        return {**self.offer.here.names, **dict(more)}

    def all(self) -> tuple[Referral, ...]:
        """Each as it stands."""
        return tuple([self._referral(row) for row in self.rows])

    def _referral(self, row: tuple[Any, ...]) -> Referral:
        waits_for, person = _WAITS_FOR[row[4]], self.people.get(row[2], "")
        due = row[_DUE] if waits_for else ""
        climbed = self._climbed(row[5], due)
        key = (row[_OWN:_DUE], waits_for, climbed, self.co_ordinator.get(person))
        shared = self.shared.get(key)
        if shared is None:
            shared = self.shared[key] = self._shared(*key)
        return Referral._make(row[:_OWN] + shared + (person, self.urgencies.get(row[5], row[5]), due))

    def _shared(self, row: tuple[Any, ...], waits_for: str, climbed: int, co_ordinator: int | None) -> tuple[Any, ...]:
        """What is the same for all that stand at one service, with one user, from one sender."""
        service_id, user_id, sender_id, sender, from_id = row
        user_name, sender_name = (self.users[user] if user is not None else "" for user in (user_id, sender_id))
        service, heir = self._service(service_id), self.offer.heir(sender)
        from_service = (self._service(from_id).code, self._service(from_id).name) if from_id else ("", "")
        turns = {
            SERVICE: Turn(user_id, service.code, self.offer.heir(service.body), False, co_ordinator),
            SENDER: Turn(sender_id, from_service[0], heir, True, co_ordinator),
        }
        here = self.offer.here
        able = {side: here.able(turn, climbed if side == waits_for else IN_TIME) for side, turn in turns.items()}
        return (
            service.code, service.name, service.kind_text, service.body, service.body_name, user_id, user_name,
            sender_id, sender_name, heir or sender, self.names.get(heir or sender, ""), *from_service, waits_for,
            _CLIMBED[climbed], here.owners(turns[waits_for], climbed) if waits_for else (), able[SENDER], able[SERVICE],
        )  # fmt: skip

    def _service(self, number: int) -> ServiceNow:
        """The service that goes on with one."""
        return self.offer.services[self.offer.now(self.services[number].code)]

    def _climbed(self, urgency: str, said: str) -> int:
        # As text first: most is due on a later day, and to read a moment costs more than to compare two.
        if not said or said[:10] > self.tomorrow or (due := as_moment(said)) > self.at:
            return IN_TIME
        return LONG_OVERDUE if climbs_at(urgency, due) <= self.at else OVERDUE
