"""`@action`: the only way in. The outermost action owns the transaction and leaves one ActionEntry."""

from __future__ import annotations

import fcntl
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import partial, wraps
from pathlib import Path
from time import sleep
from typing import IO, Any, ParamSpec, TypeVar

from django.conf import settings
from django.db import connection, transaction

from joinery.apps.base.models import ActionEntry

P = ParamSpec("P")
R = TypeVar("R")

# How often a page asks for a lock before it gives up, and how long it waits in between. Most work is done by then.
TRIES, TRY_SECONDS = 20, 0.1
BUSY = "A long file is being taken. Try again in some minutes."

NO_CODE = "(no code)"
_CODE = re.compile(r"[\w.:/+-]{0,64}", re.ASCII)

_inside: ContextVar[bool] = ContextVar("inside_action", default=False)


class Refused(Exception):
    """An action was not done. `code` is short and holds no personal data; `message` is for the user."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a signed-in user (`user_id`) or a part of the system (`name`)."""

    name: str
    user_id: int | None = None

    @classmethod
    def user(cls, user_id: int) -> Actor:
        return cls(f"user:{user_id}", user_id)

    @classmethod
    def system(cls, part: str) -> Actor:
        return cls(f"system:{part}")


def action(name: str, targets: tuple[str, ...] = ()) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function an action, called with keywords only, among them `actor` and `at`.

    `targets` names the arguments (ids, never personal data) that the entry keeps. An action called
    within another joins its transaction and leaves no entry of its own.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            if args:
                raise TypeError(f"{name} takes keywords only")
            if _inside.get():
                return function(*args, **kwargs)
            return _outermost(name, targets, function, kwargs)

        run.action_name = name  # type: ignore[attr-defined]
        return run

    return wrap


def _outermost(name: str, targets: tuple[str, ...], function: Callable[..., R], kwargs: dict[str, Any]) -> R:
    actor: Actor = kwargs["actor"]
    at: datetime = kwargs["at"]
    kept = {target: _kept(kwargs.get(target)) for target in targets}
    token = _inside.set(True)
    try:
        with transaction.atomic():
            result = function(**kwargs)
            ActionEntry.objects.create(at=at, actor=actor.name, action=name, targets=kept, outcome="done")
            return result
    except Refused as refused:
        ActionEntry.objects.create(
            at=at, actor=actor.name, action=name, targets=kept, outcome="refused", reason=refused.code
        )
        raise
    finally:
        _inside.reset(token)


def _kept(value: Any) -> Any:
    """A target as the entry keeps it for good: no more than an id or a code, for a forged form can hold anything."""
    if isinstance(value, list | tuple):
        return [_kept(each) for each in value]
    return NO_CODE if isinstance(value, str) and not _CODE.fullmatch(value) else value


@contextmanager
def one_at_a_time(what: str, wait: bool = True) -> Iterator[None]:
    """Hold the deployment's lock of this name. Whoever held it before may have died, so it frees itself.

    Somebody at a page does not `wait` for a long file: Refused is raised when the lock is not free in 2 seconds.
    """
    if connection.vendor != "postgresql":
        with (Path(settings.JOINERY_DATA) / f"{what}.lock").open("w") as file:
            _obtain(partial(_lock_file, file), wait)
            yield
        return
    _obtain(partial(_lock_advisory, what), wait)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [f"joinery {what}"])


def _obtain(lock: Callable[[bool], bool], wait: bool) -> None:
    if wait:
        lock(True)
        return
    for _ in range(TRIES):
        if lock(False):
            return
        sleep(TRY_SECONDS)
    raise Refused("busy", BUSY)


def _lock_file(file: IO[str], wait: bool) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _lock_advisory(what: str, wait: bool) -> bool:
    function = "pg_advisory_lock" if wait else "pg_try_advisory_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtext(%s))", [f"joinery {what}"])
        return wait or bool(cursor.fetchone()[0])
