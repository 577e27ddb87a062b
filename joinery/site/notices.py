"""Notices: an email to a user that something waits for them in Joinery, and nothing in it about anybody.

All say the same and lead to the page for logging in. Who is told, and when, follows from what waits and from what they
were told before (`definitions/rules/notices.toml`), so that it does not matter when the worker was down.
"""

from __future__ import annotations

import logging
import tomllib
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from smtplib import SMTPException, SMTPRecipientsRefused
from uuid import uuid4

import msgspec
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from joinery.apps.base import actions
from joinery.apps.base import facts as base
from joinery.apps.base.action import Actor, Refused, one_at_a_time
from joinery.apps.care import facts as care
from joinery.apps.privacy import facts as privacy
from joinery.calc.working_hours import LONDON, bank_holidays
from joinery.definitions import parsed
from joinery.site.jinja import url
from joinery.site.pauses import pause_after

ACTOR = Actor.system("notices")
NAME = "rules/notices.toml"
# What somebody was told earlier is as good as never: whatever is waiting since then they were told on its first day.
LATELY = timedelta(days=2)
SUBJECT = "Something waits for you in Joinery"
WORDS = """Something waits for you in Joinery. Log in to see what it is:

{address}

Nothing about anybody is ever sent by email: please do not answer, and do not write about anybody by email. If you \
would rather not be told, say so in Joinery on the page of your account.
"""

_log = logging.getLogger("joinery.notices")


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When somebody is told, from a day on: times are local, as on the wall."""

    valid_from: date
    daily_from: time
    daily_to: time
    soon_minutes: int
    apart_minutes: int


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: tuple[Rules, ...]


@cache
def _all() -> tuple[Rules, ...]:
    return read_rules(files("joinery.definitions").joinpath(NAME).read_text("utf-8"))


def read_rules(text: str) -> tuple[Rules, ...]:
    """Rules from the text of their file, by the day on which they begin. Raises ValueError that says what is wrong."""
    try:
        found = parsed(text, _File).rules
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"{NAME}: {error}") from error
    for rules in found:
        if rules.daily_from >= rules.daily_to or min(rules.soon_minutes, rules.apart_minutes) < 1:
            raise ValueError(f"{NAME}: daily_to is later than daily_from, and minutes are 1 at least.")
    if not found or len({rules.valid_from for rules in found}) != len(found):
        raise ValueError(f"{NAME}: each [[rules]] begins on a day of its own.")
    return tuple(sorted(found, key=lambda rules: rules.valid_from))


def rules_on(on: date) -> Rules:
    """The rules that are in force on a day: the newest that began by then, or the first ones."""
    return next((rules for rules in reversed(_all()) if rules.valid_from <= on), _all()[0])


def send_due(at: datetime) -> None:
    """Tell whoever is to be told now, unless another process is at it, or the mail server was away a moment ago."""
    if not settings.MAIL:
        return
    with suppress(Refused), one_at_a_time("notices", wait=False):
        failing = base.notices_failing()
        if failing is None or at >= failing.last_at + pause_after(failing.count):
            _send(due(at), at)


def due(at: datetime) -> dict[int, base.Told]:
    """Who is to be told now that something waits, whose notice failed longest ago first."""
    local = at.astimezone(LONDON)
    rules = rules_on(local.date())
    apart = at - timedelta(minutes=rules.apart_minutes)
    takers = base.notices(at - LATELY)
    able = {user: told for user, told in takers.items() if told.tried_at is None or told.tried_at <= apart}
    by = at + timedelta(minutes=rules.soon_minutes)
    soon = [care.due_for(at, by), privacy.due_for(at, by)]
    first = datetime.combine(local.date(), time(), LONDON)
    daily: set[int] = set()
    if _works(local.date()) and rules.daily_from <= local.time() < rules.daily_to:
        daily = {*care.waited_for(at), *privacy.due_for(at)}
    now = {
        user: told
        for user, told in able.items()
        if any(user in each and each[user] > (told.told_at or at - LATELY) for each in soon)
        or (user in daily and (told.told_at is None or told.told_at < first))
    }
    return dict(sorted(now.items(), key=lambda each: each[1].failed_at or at - LATELY))


def _works(day: date) -> bool:
    return day.weekday() < 5 and day not in bank_holidays()


def _send(to: dict[int, base.Told], at: datetime) -> None:
    """Tell these, until the mail server fails."""
    counts: Counter[str] = Counter()
    connection = get_connection("django.core.mail.backends.smtp.EmailBackend", **settings.MAIL)
    try:
        for user_id, told in to.items():
            # Kept first: who is not told for a power cut is told the next day, and nobody is told twice.
            notice_id = actions.keep_notice(user_id=user_id, actor=ACTOR, at=at)
            outcome = _handed_over(connection, message(told.address))
            counts[outcome] += 1
            if outcome != "sent":
                actions.note_notice(notice_id=notice_id, outcome=outcome, actor=ACTOR, at=at)
            if outcome == "failed":
                break
    finally:
        connection.close()
        if counts:
            _log.info("notices", extra={"kept": dict(counts)})


def message(address: str) -> EmailMessage:
    """The notice to an address: the same for everybody."""
    host = settings.MAIL_FROM.rpartition("@")[2]
    # Named here, for otherwise the id would name this machine. RFC 3834: no answer by a machine is wanted.
    headers = {"Message-ID": f"<{uuid4()}@{host}>", "Auto-Submitted": "auto-generated"}
    words = WORDS.format(address=f"https://{settings.HOSTS[0]}{url('account_login')}")
    return EmailMessage(SUBJECT, words, settings.MAIL_FROM, [address], headers=headers)


def _handed_over(connection: BaseEmailBackend, notice: EmailMessage) -> str:
    """What became of a notice: `sent`, `refused`, `later` or `failed`."""
    try:
        connection.open()
        connection.send_messages([notice])
    except SMTPRecipientsRefused as refused:
        return "later" if _may_pass(refused.recipients.values()) else "refused"
    except ValueError:  # the head of the message cannot hold it
        return "refused"
    except (SMTPException, OSError) as error:
        _log.error("the mail server was not to be had", extra={"kept": {"error": type(error).__name__}})
        return "failed"
    return "sent"


def _may_pass(answers: Iterable[tuple[int, bytes]]) -> bool:
    """Whether what the server says of an address may pass. Source: RFC 5321, 4.2.1: 4yz passes, 5yz does not."""
    return all(code < 500 for code, _ in answers)
