"""The three kinds of facts. Every function in a `facts` module carries one of these marks.

- person facts are about named people: their first argument is a `Viewing`, so that nobody can read
  them without a decision and an entry in the access log;
- place facts hold no identifiers and may be shown to anyone signed in;
- row facts are pseudonymous columns for other apps; no view may import them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import Count, Max, Min, OuterRef, Q, Subquery

from joinery.apps.base.access_log import WHAT, WHY
from joinery.apps.base.addresses import is_address
from joinery.apps.base.columns import as_moment, select, stored
from joinery.apps.base.invitations import code_digest
from joinery.apps.base.models import Access, AccountEvent, Identity, Invitation, Notice, User
from joinery.apps.base.staff_rules import StaffRules, rules_on
from joinery.calc.access import ROLES
from joinery.calc.access_table import OVERRIDE

if TYPE_CHECKING:
    from joinery.apps.base.access_log import Viewing

F = TypeVar("F", bound=Callable[..., Any])


def person_facts(function: F) -> F:
    """Mark a function as person facts; its first parameter must be named `viewing`."""
    if function.__code__.co_varnames[:1] != ("viewing",):
        raise TypeError(f"{function.__qualname__}: person facts take `viewing` first")
    return function


def place_facts(function: F) -> F:
    """Mark a function as place facts: nothing in its answer may identify a person cared for."""
    return function


def row_facts(function: F) -> F:
    """Mark a function as row facts: pseudonymous columns, for other apps and never for a page."""
    return function


@dataclass(frozen=True, slots=True)
class Stood:
    """From when up to when what is the person's now stood under another person: who looked there, saw it."""

    person_id: str
    from_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """One entry of who has looked, in plain words; `organisation` is a code. `elsewhere`: at another person,
    under whom a part of this one's records stood then. `user_id` is none for a part of the system."""

    event: str
    at: datetime
    user_id: int | None
    who: str
    role: str
    organisation: str
    what: str
    why: str
    allowed: bool
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Looks:
    """A page of looks, newest first; `older` is the cursor of the next page, if there is one."""

    looks: tuple[Look, ...]
    older: str | None


IN_AN_EMERGENCY = "In an emergency, with a reason that is reviewed"


@person_facts
def looks_page(
    viewing: Viewing,
    after: str = "",
    limit: int = 20,
    stood: Sequence[Stood] = (),
    event: str = "",
    user_id: int | None = None,
    but_user_id: int | None = None,
) -> Looks:
    """Who has looked at the person of the viewing, this look included; at most 200 at a time.

    With `stood`, also who was shown the people under whom records of this one stood, while they did. `event` asks
    for one look alone, `user_id` for those of one user, `but_user_id` for those of all others.
    """
    limit = min(limit, 200)
    theirs = Q(person_id=viewing.person_id)
    for each in stood:
        during = Q(at__gte=each.from_at, at__lt=each.until_at)
        theirs |= Q(person_id=each.person_id, allowed=True) & during
    rows = Access.objects.filter(theirs)
    if event:
        rows = rows.filter(event=event)
    if user_id is not None:
        rows = rows.filter(user_id=user_id)
    if but_user_id is not None:
        rows = rows.exclude(user_id=but_user_id)
    if after:
        rows = rows.filter(id__lt=int(after))
    # The user is no foreign key: a log row outlives the user.
    name = Subquery(User.objects.filter(pk=OuterRef("user_id")).values("name")[:1])
    columns = ("id", "event", "at", "user_id", name, "actor", "role", "organisation", "what", "purpose", "reason")
    found = list(rows.order_by("-at", "-id").values_list(*columns, "allowed", "person_id")[: limit + 1])
    looks = tuple(
        Look(
            event=event,
            at=at,
            user_id=user,
            who=user_name or actor,
            role=ROLES.get(role, role),
            organisation=organisation,
            what=WHAT.get(what, what),
            why=IN_AN_EMERGENCY if reason == OVERRIDE else WHY.get(purpose, purpose),
            allowed=allowed,
            elsewhere=person_id != viewing.person_id,
        )
        for _, event, at, user, user_name, actor, role, organisation, what, purpose, reason, allowed, person_id in (
            found[:limit]
        )
    )
    return Looks(looks, str(found[limit - 1][0]) if len(found) > limit else None)


@dataclass(frozen=True, slots=True)
class Opened:
    """Somebody opened a person's record in the course of their work; `organisation` is a code."""

    event: str
    at: datetime
    user_id: int
    role: str
    organisation: str
    person_id: str


# What opens one person's record, as against a name in a list.
_OPENING = ("opened", "original", "log", "joined", "details")


@row_facts
def opened_between(from_at: datetime, until_at: datetime) -> list[Opened]:
    """The looks at one person each that users made for somebody's care or a good record, in the order of time.

    Read from the newest back, so that it takes as long as the days since are full, not as the log is.
    """
    columns = ("event", "at", "user_id", "role", "organisation", "person_id", "what", "purpose", "allowed")
    found = []
    for *look, what, purpose, allowed in Access.objects.order_by("-id").values_list(*columns).iterator():
        opened = Opened(*look)
        if opened.at < from_at - _OUT_OF_ORDER:
            break
        counts = allowed and what in _OPENING and purpose in ("direct_care", "record_quality")
        if counts and opened.user_id and opened.person_id and from_at <= opened.at < until_at:
            found.append(opened)
    return sorted(found, key=lambda each: each.at)


# How long a request may take between its moment and its entry in the log.
_OUT_OF_ORDER = timedelta(hours=1)


@row_facts
def users_compared() -> dict[int, tuple[str, str]]:
    """The name and the home postcode (where it is known) of every user."""
    return {user: (name, postcode) for user, name, postcode in User.objects.values_list("pk", "name", "home_postcode")}


@place_facts
def user_with_email(email: str) -> int | None:
    """The id of the user who signs in with an email address, or None."""
    return User.objects.filter(email=email.strip().lower()).values_list("pk", flat=True).first()


@place_facts
def user_who_logs_in_as(login: str) -> int | None:
    """The id of the user with this email address or login name, or None."""
    typed = login.strip().lower()
    named = User.objects.filter(Q(email=typed) | Q(login_name=typed))
    return named.values_list("pk", flat=True).first()


# What can happen to how somebody logs in, in the words that they read.
ACCOUNT_EVENTS = {
    "logged_in": "Logged in",
    "logged_out": "Logged out",
    "password_wrong": "A wrong password was typed",
    "code_wrong": "After the right password, a wrong code was typed",
    "password_changed": "Password changed",
    "app_added": "App on a telephone added",
    "app_removed": "App on a telephone removed",
    "passkey_added": "Passkey added",
    "passkey_removed": "Passkey removed",
    "codes_made": "New printed codes made",
    "sessions_ended": "Logged out elsewhere, from the page of the account",
}


@dataclass(frozen=True, slots=True)
class AccountHappening:
    """Something that happened to how a user logs in, in words."""

    at: datetime
    words: str


@place_facts
def account_events(user_id: int, limit: int = 20) -> tuple[AccountHappening, ...]:
    """What happened lately to how a user logs in, newest first; at most 200."""
    found = AccountEvent.objects.filter(user_id=user_id).order_by("-id").values_list("at", "what")
    return tuple(AccountHappening(at, ACCOUNT_EVENTS.get(what, what)) for at, what in found[: min(limit, 200)])


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom an invitation is for, while it serves; `login` is the email address or the login name."""

    invitation_id: int
    user_id: int
    name: str
    login: str
    expires_at: datetime


@place_facts
def is_active(user_id: int) -> bool:
    """Whether a user has an account that was not ended."""
    return User.objects.filter(pk=user_id, is_active=True).exists()


@place_facts
def invitation_with_code(code: str, at: datetime) -> Invited | None:
    """Whom a code invites, as somebody typed it: capitals, spaces and hyphens do not matter."""
    return _invited(Q(digest=code_digest(code)), at)


@place_facts
def open_invitation(invitation_id: int, at: datetime) -> Invited | None:
    """Whom an invitation is for, unless it was used or serves no more."""
    return _invited(Q(pk=invitation_id), at)


@place_facts
def staff_rules(on: date) -> StaffRules:
    """How long invitations and roles last on a day, and when they are looked at again."""
    return rules_on(on)


def _invited(which: Q, at: datetime) -> Invited | None:
    found = Invitation.objects.filter(which, used_at=None, expires_at__gt=at, user__is_active=True)
    row = found.values_list("id", "user_id", "user__name", "user__email", "user__login_name", "expires_at").first()
    return Invited(row[0], row[1], row[2], row[3] or row[4] or "", row[5]) if row else None


@place_facts
def user_with_identity(issuer: str, subject: str) -> int | None:
    """The id of the user whom an identity provider knows as this subject, or None."""
    return Identity.objects.filter(issuer=issuer, subject=subject).values_list("user_id", flat=True).first()


@place_facts
def has_identity(user_id: int, issuer: str) -> bool:
    """Whether a user may log in with an identity provider."""
    return Identity.objects.filter(user_id=user_id, issuer=issuer).exists()


@dataclass(frozen=True, slots=True)
class Told:
    """How a user may be told that something waits: at their `address`. `told_at` is when they last were, `tried_at`
    when the mail server last answered to that, `failed_at` when it did not; none where it was not lately."""

    address: str
    told_at: datetime | None
    tried_at: datetime | None
    failed_at: datetime | None


@place_facts
def notices(since: datetime) -> dict[int, Told]:
    """Everybody who takes notices, by id, with what they got since a moment."""
    rows = select(
        "SELECT user_id, MAX(CASE WHEN outcome IN ('sent', 'refused') THEN at END), "
        "MAX(CASE WHEN outcome <> 'failed' THEN at END), MAX(CASE WHEN outcome = 'failed' THEN at END) "
        "FROM base_notice WHERE at >= %s GROUP BY user_id",
        [stored(since)],
    )
    lately = {user: tuple(as_moment(at) if at else None for at in moments) for user, *moments in rows}
    users = User.objects.filter(is_active=True, takes_notices=True, email__isnull=False).values_list("pk", "email")
    never = (None, None, None)
    return {user: Told(email, *lately.get(user, never)) for user, email in users if email and is_address(email)}


@dataclass(frozen=True, slots=True)
class Failing:
    """So many notices in a row did not go, from one moment to another, because the mail server was not to be had."""

    count: int
    since_at: datetime
    last_at: datetime


@place_facts
def notices_failing() -> Failing | None:
    """How long no notice has gone; None when the last one did, or was the address's own fault."""
    failed = Notice.objects.filter(outcome=Notice.Outcome.FAILED)
    last = Notice.objects.exclude(outcome=Notice.Outcome.FAILED).aggregate(last=Max("pk"))["last"] or 0
    found = failed.filter(pk__gt=last).aggregate(count=Count("pk"), first=Min("at"), last=Max("at"))
    return Failing(found["count"], found["first"], found["last"]) if found["count"] else None


@place_facts
def takes_notices(user_id: int) -> bool | None:
    """Whether a user takes notices; None when they have no email address."""
    found = User.objects.filter(pk=user_id, email__isnull=False).values_list("takes_notices", flat=True)
    return found.first()
