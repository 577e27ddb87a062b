"""What waits for a user, for others because of them, and for a team: without a word about whose care it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from joinery.apps.base.columns import marks, stored
from joinery.apps.base.facts import place_facts
from joinery.apps.care.owners import CO_ORDINATOR, LEAD, OVERDUE, Owner, Turn
from joinery.apps.care.referrals import Referral, open_referrals
from joinery.apps.care.services import Offered, ServiceNow, offered
from joinery.apps.care.states import SENDERS_TURN

# The turns that are a sender's, as the database asks for them.
_SENDERS_TURN = ", ".join(map(repr, SENDERS_TURN))
_UNSEEN = "r.id IN (SELECT n.referral_id FROM care_unseennote n)"


@dataclass(frozen=True, slots=True)
class Work:
    """The referrals that a user has to do with, what is due first first.

    `mine` wait for them by name: others wait because of them. `team` wait for anybody of their service, or of where
    they work. `climbed` have reached them because they are overdue. `asked` they sent, or a service of theirs, and
    it is somebody else's turn. `unseen` hold messages that they have not seen. `teams` are the services that they are
    of, by code and name.
    """

    mine: tuple[Referral, ...]
    team: tuple[Referral, ...]
    climbed: tuple[Referral, ...]
    asked: tuple[Referral, ...]
    unseen: tuple[Referral, ...]
    teams: tuple[tuple[str, str], ...]

    @property
    def waiting(self) -> int:
        """How many wait for them, in any way."""
        return len(self.mine) + len(self.team) + len(self.climbed)


@place_facts
def my_work(user_id: int, at: datetime) -> Work:
    """What a user has to do with at a moment."""
    offer = offered(at.date())
    mine: list[Referral] = []
    team: list[Referral] = []
    climbed: list[Referral] = []
    asked: list[Referral] = []
    unseen: list[Referral] = []
    lists = {"mine": mine, "team": team, "climbed": climbed}
    # Many have the same owners, one and the same tuple.
    known: dict[int, str] = {}
    for each in _around(user_id, at, offer):
        which = known.get(id(each.owners))
        if which is None:
            which = known[id(each.owners)] = _list_of(each.owners, user_id)
        if which:
            lists[which].append(each)
        elif each.waits_for and _asked_by(each, user_id, offer):
            asked.append(each)
        if (each.notes_for_sender or each.notes_for_service) and each.unseen_for(user_id):
            unseen.append(each)
    teams = tuple((each.code, each.name) for each in offer.services.values() if each.has(user_id) and not each.closed)
    return Work(tuple(mine), tuple(team), tuple(climbed), tuple(asked), tuple(unseen), teams)


def _list_of(owners: Sequence[Owner], user_id: int) -> str:
    """In which list of a user lies what these hold; empty: in none."""
    why = next((owner.why for owner in owners if owner.user_id == user_id), "")
    if not why or why == "named":
        return why and "mine"
    return "team" if why == owners[0].why else "climbed"


def _asked_by(each: Referral, user_id: int, offer: Offered) -> bool:
    if each.sender_id == user_id:
        return True
    return bool(each.from_service) and offer.services[each.from_service].has(user_id)


def _around(user_id: int, at: datetime, offer: Offered) -> tuple[Referral, ...]:
    """All referrals that may be of a user: too many rather than too few, for whose they are is worked out of each."""
    co_ordinates = any(user == user_id for _, user in offer.co_ordinators)
    ids = [each.service_id for each in offer.services.values() if _may_hold(user_id, each.code, co_ordinates, offer)]
    answers = any(h.user_id == user_id and h.role in (CO_ORDINATOR, LEAD) for h in offer.here.holders)
    # What climbs to whoever co-ordinates may be at any service. Each way by itself, so that each has its index.
    ways: list[tuple[str, list[object]]] = [
        (f"care_openreferral x WHERE x.service_id IN ({marks(ids)})", [*ids]),
        (f"care_openreferral x WHERE x.state IN ({_SENDERS_TURN})", []),
        ("care_referral y JOIN care_openreferral x ON x.referral_id = y.id WHERE y.user_id = %s", [user_id]),
        (
            "care_referral y JOIN care_openreferral x ON x.referral_id = y.id "
            f"WHERE y.from_service_id IN ({marks(ids)})", [*ids],
        ),
    ]  # fmt: skip
    if co_ordinates or answers:
        ways.append(("care_openreferral x WHERE x.due_at <= %s", [stored(at)]))
    found = " UNION ALL ".join(f"SELECT x.referral_id FROM {way}" for way, _ in ways)
    of_theirs = f"(r.user_id = %s OR w.service_id IN ({marks(ids)}) OR r.from_service_id IN ({marks(ids)}))"
    return open_referrals(
        at, f"w.referral_id IN ({found})", [value for _, values in ways for value in values], offer,
        ended=f"{_UNSEEN} AND {of_theirs}", more=[user_id, *ids, *ids],
    )  # fmt: skip


def _may_hold(user_id: int, code: str, co_ordinates: bool, offer: Offered) -> bool:
    """Whether what is at a service may be held by a user: by their part in it, or because nobody nearer is there."""
    service = offer.services[offer.now(code)]
    turn = Turn(None, service.code, offer.heir(service.body), False, user_id if co_ordinates else None)
    return user_id in offer.here.able(turn, OVERDUE)


@place_facts
def waiting_count(user_id: int, at: datetime) -> int:
    """How many referrals wait for a user."""
    return my_work(user_id, at).waiting


@dataclass(frozen=True, slots=True)
class Load:
    """How much somebody of a service has taken on: what is open, how much of it is overdue, and since how many days
    the oldest has stood where it does. Without a user: what nobody has taken on."""

    user_id: int | None
    name: str
    manages: bool
    open: int
    overdue: int
    oldest_days: int


@dataclass(frozen=True, slots=True)
class Team:
    """The work of a service: how it lies on its members, what nobody has taken on, and all of it, due first first."""

    service: ServiceNow
    members: tuple[Load, ...]
    unnamed: Load
    referrals: tuple[Referral, ...]


@place_facts
def team_work(service: str, at: datetime) -> Team | None:
    """The open referrals at a service, and who of it has how many, who has most first. None: no such service."""
    offer = offered(at.date())
    if service not in offer.services:
        return None
    ids = [each.service_id for each in offer.services.values() if offer.now(each.code) == service]
    found = open_referrals(at, f"w.service_id IN ({marks(ids)})", ids, offer)
    named: dict[int | None, list[Referral]] = defaultdict(list)
    here = {member.user_id: member for member in offer.services[service].members if member.counts}
    for each in found:
        named[each.user_id if each.user_id in here else None].append(each)
    loads = [_load(user, m.name, offer.services[service].managed_by(user), named[user], at) for user, m in here.items()]
    loads.sort(key=lambda load: (-load.open, load.name))
    return Team(offer.services[service], tuple(loads), _load(None, "", False, named[None], at), found)


def _load(user_id: int | None, name: str, manages: bool, found: Sequence[Referral], at: datetime) -> Load:
    oldest = min((each.since_at for each in found), default=at)
    return Load(user_id, name, manages, len(found), sum(each.overdue for each in found), (at - oldest).days)
