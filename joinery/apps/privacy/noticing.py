"""Which looks of a day are unusual: read from the access log, and compared with who users and people are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from joinery.apps.base import facts as base
from joinery.apps.place import facts as place
from joinery.apps.privacy.rules import Rules
from joinery.apps.record import facts as record
from joinery.calc.misuse import Someone, of_a_day, of_a_look, user_named

_BATCH_PEOPLE = 1_000


@dataclass(frozen=True, slots=True)
class Unusual:
    """What a user did on a day that should be asked about: at one person (`record_id`), or of their whole day."""

    user_id: int
    organisation: str
    record_id: int | None
    event: str
    looked_at: datetime
    codes: tuple[str, ...]
    words: str = ""


def unusual(looks: Sequence[base.Opened], day: date, rules: Rules) -> list[Unusual]:
    """All that is unusual of the looks of a day, in the order in which it began."""
    found = [*_of_looks(looks, day), *_of_days(looks, rules)]
    return sorted(found, key=lambda each: each.looked_at)


def _of_looks(looks: Sequence[base.Opened], day: date) -> Iterator[Unusual]:
    """Whose records were opened that should be asked about: each user's first look at each person."""
    first = {(look.user_id, look.person_id): look for look in reversed(looks)}
    users = {user: user_named(*said) for user, said in base.users_compared().items()}
    colleagues = _by_family_name(place.holders(day), users)
    people = sorted({person for _, person in first})
    compared: dict[str, list[Someone]] = {}
    founding: dict[str, int] = {}
    for start in range(0, len(people), _BATCH_PEOPLE):
        some = people[start : start + _BATCH_PEOPLE]
        compared |= record.people_compared(some)
        founding |= record.founding_records(some)
    own = record.own_pairs(day)
    for (user, person), look in first.items():
        viewer, said = users.get(user), compared.get(person, [])
        if viewer is None or person not in founding:
            continue
        names = {name for each in said for name in each.family_names}
        others = [who for name in names for other, who in colleagues[look.organisation, name] if other != user]
        if codes := of_a_look(viewer, said, others, own=(user, person) in own):
            yield Unusual(user, look.organisation, founding[person], look.event, look.at, tuple(codes))


def _by_family_name(
    holders: Iterable[place.Holder], users: Mapping[int, Someone]
) -> Mapping[tuple[str, str], list[tuple[int, Someone]]]:
    """Who works at each organisation, by each of their last names."""
    found: dict[tuple[str, str], list[tuple[int, Someone]]] = defaultdict(list)
    for holder in holders:
        who = users[holder.user_id]
        for name in who.family_names:
            found[holder.organisation, name].append((holder.user_id, who))
    return found


def _of_days(looks: Sequence[base.Opened], rules: Rules) -> Iterator[Unusual]:
    """Whose days should be asked about: many records in a row, or records outside the usual hours."""
    of_user: dict[int, list[base.Opened]] = defaultdict(list)
    for look in looks:
        of_user[look.user_id].append(look)
    for user, theirs in of_user.items():
        opened = [(timezone.localtime(look.at), look.person_id) for look in theirs]
        any_hour = any(look.role in rules.any_hour_roles for look in theirs)
        if patterns := of_a_day(opened, rules.limits(), any_hour):
            moments = {moment for found in patterns.values() for moment in found}
            first = next(look for look in theirs if timezone.localtime(look.at) in moments)
            people = len({person for moment, person in opened if moment in moments})
            words = f"{people} people between {_clock(min(moments))} and {_clock(max(moments))}"
            yield Unusual(user, first.organisation, None, first.event, first.at, tuple(patterns), words)


def _clock(at: datetime) -> str:
    return f"{at.hour % 12 or 12}:{at:%M}{'pm' if at.hour >= 12 else 'am'}"
