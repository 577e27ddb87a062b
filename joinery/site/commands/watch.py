"""`joinery watch`."""

from __future__ import annotations

import argparse
import contextlib
import signal
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joinery.site.commands import Problem, make_ready, say
from joinery.site.commands.take import COUNTS, sentence, spare_collector

if TYPE_CHECKING:
    from joinery.site.watching import Outcome, Watch

MOST_SAID = 1_000  # of each kind, the last ones, in the answer of a watch that went on for long


class Answer:
    """What became of the files, counted, and the last of them one by one."""

    def __init__(self) -> None:
        self.totals = dict.fromkeys(COUNTS, 0)
        self.lists: dict[str, deque[dict[str, Any]]] = {
            name: deque(maxlen=MOST_SAID) for name in ("files", "refused", "failed")
        }

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Count what became of each file, and say it as it comes."""
        for each in outcomes:
            where = {"sender": each.sender, "feed": each.feed}
            if each.taken:
                counts = asdict(each.taken)
                self.totals = {name: self.totals[name] + counts[name] for name in COUNTS}
                self.lists["files"].append(where | counts)
                say(sentence(counts))
                for reason in each.taken.reasons:
                    say(f"  quarantined: {reason}")
            else:
                self.lists["refused" if each.refused else "failed"].append(
                    where | {"file": each.file, "error": each.words}
                )
                say(f"joinery: {each.file}: {each.words}")

    def said(self) -> tuple[dict[str, Any], int]:
        """The answer for `--json`, and the exit code."""
        lists = {name: list(each) for name, each in self.lists.items()}
        return self.totals | lists, 1 if lists["refused"] or lists["failed"] else 0


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Take what lies in a folder, once or until stopped."""
    ready()
    from django.conf import settings

    from joinery.site.watching import Watch

    folder: Path = arguments.folder or settings.JOINERY_INBOX
    if arguments.folder and not folder.is_dir():
        raise Problem(f"There is no folder {folder}. Make it first.")
    answer = Answer()
    with held(folder):
        watch = Watch(folder, arguments.still)
        if arguments.once:
            take_once(watch, answer)
        else:
            say(f"joinery: watching {folder}")
            take_until(stopped(), watch, answer)
    said, code = answer.said()
    return said | {"waiting": watch.waiting}, code if arguments.once else 0


def ready() -> None:
    """Load the deployment, or say what it needs first."""
    make_ready()
    spare_collector()


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder, or say who does."""
    from joinery.site.watching import NoInbox, sole

    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(sole(folder))
        except NoInbox as other:
            raise Problem(str(other)) from None
        except BlockingIOError:
            raise Problem(
                f"Another process takes the files of {folder} already: joinery run, or another watch. "
                "Put the files there, and it takes them."
            ) from None
        except OSError as error:
            raise Problem(f"Joinery cannot write to {folder} ({error.strerror}). Give it that right.") from None
        yield


def take_once(watch: Watch, answer: Answer) -> None:
    """Take what is there and stays as it is for as long as it takes to be sure that it is whole."""
    answer.add(watch.claim(time.monotonic()))
    if watch.waiting:
        time.sleep(watch.still_seconds)
        answer.add(watch.claim(time.monotonic()))
    answer.add(watch.take(time.monotonic()))


def take_until(stop: threading.Event, watch: Watch, answer: Answer) -> None:
    """Look at the folder every few seconds, and take what is whole."""
    from joinery.site.watching import LOOK_SECONDS

    while not stop.is_set():
        answer.add(watch.claim(time.monotonic()))
        for outcome in watch.take(time.monotonic()):
            answer.add([outcome])
            if stop.is_set():
                break
        stop.wait(min(LOOK_SECONDS, watch.still_seconds))


def stopped() -> threading.Event:
    """Set when somebody tells this process to stop."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
