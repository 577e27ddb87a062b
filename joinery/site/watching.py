"""A watched folder: files put into `SENDER/FEED/` are taken, and then lie in `done/` or `refused/` beside them.

Where a file lies says how far it is. A file that has stopped growing is moved to `.taking/`, which no sender
can reach, so that nobody changes it or puts a link in its place while it is read. Whoever is killed finds it
there again, and taking a file twice changes nothing.
"""

from __future__ import annotations

import csv
import errno
import io
import logging
import os
import stat
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import close_old_connections
from django.utils import timezone

from joinery.apps.base.action import Actor, Refused
from joinery.apps.record.actions import Taken, open_returned
from joinery.apps.record.facts import returned_rows
from joinery.definitions import FEEDS
from joinery.site.listener import only_one
from joinery.site.taking import take

STILL_SECONDS = 10.0  # without a change, before a file counts as whole
LOOK_SECONDS = 5.0
AGAIN_SECONDS = 60.0  # before a file that could not be taken is tried again
EMPTY_SECONDS = 24 * 3600  # before an empty folder is cleared away
CLAIMED = ".taking"
DONE, REFUSED = "done", "refused"
# What the programs that send files call one that is not whole yet.
UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".swp", "~")
# The end of the name of what describes the files beside it, and holds no rows.
NO_ROWS = "manifest.json"
MOST_NAME_BYTES = 180  # leaves room for .reasons.csv
FORMULA = ("=", "+", "-", "@", "\t", "\r")

NO_FILE = "It is a link or a device, not a file. Put the file itself here."

ACTOR = Actor.system("watched folder")
_log = logging.getLogger("joinery.watching")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: `taken`, or `refused`, or left for another time; `words` says why not."""

    sender: str
    feed: str
    file: str
    taken: Taken | None = None
    refused: bool = False
    words: str = ""


class NoInbox(Exception):
    """A folder holds something else than files of senders, which nobody may move; the message says what to do."""


class Watch:
    """Looks at a folder, time after time. Only one process may watch a folder: see `sole`."""

    def __init__(self, folder: Path, still_seconds: float = STILL_SECONDS) -> None:
        self.folder = folder
        self.still_seconds = still_seconds
        self._seen: dict[Path, tuple[tuple[int, ...], float]] = {}
        self._again: dict[Path, float] = {}
        self._said: set[tuple[Path, str]] = set()

    def claim(self, now: float) -> list[Outcome]:
        """Move the files that are whole to `.taking/`; `now` is in seconds of a clock that is never set.

        Returns what could not be looked at or moved, each thing once.
        """
        seen: dict[Path, tuple[tuple[int, ...], float]] = {}
        problems: list[tuple[Path, OSError]] = []
        said = []
        for path in self._files(problems):
            try:
                if not stat.S_ISREG(path.lstat().st_mode):
                    said.append(self._once(path, NO_FILE))
                    continue
                state = _state(path)
                before, since = self._seen.get(path, (state, now))
                if before != state:
                    since = now
                claimed = self.folder.joinpath(CLAIMED, *map(plain, path.relative_to(self.folder).parts))
                if now - since >= self.still_seconds and not os.path.lexists(claimed):
                    make_folder(self.folder, *claimed.relative_to(self.folder).parts[:-1])
                    path.rename(claimed)
                    continue
            except FileNotFoundError:
                continue  # its sender took it away again
            except OSError as error:
                problems.append((path, error))
            seen[path] = (state, since)
        self._seen = seen
        mend = "Let Joinery write to the folder that it lies in."
        said += [self._once(path, f"It cannot be moved ({_words(error)}). {mend}") for path, error in problems]
        return [each for each in said if each]

    @property
    def waiting(self) -> int:
        """How many files the last look found that were not whole yet, or could not be moved."""
        return len(self._seen)

    def take(self, now: float) -> Iterator[Outcome]:
        """Take what was claimed, by this process or one that was killed: people first, then the oldest."""
        claimed = [path for path in _below(self.folder / CLAIMED) if self._again.get(path, now) <= now]
        for path in sorted(claimed, key=_order):
            self._again.pop(path, None)
            try:
                outcome = self._take(path)
            except Exception as error:  # whatever it is, the file is there, and is tried again
                _log.exception("taking failed")
                self._again[path] = now + AGAIN_SECONDS
                close_old_connections()
                words = f"It was not taken ({_words(error)}) and is tried again."
                outcome = Outcome(*self._place(path), path.name, words=words)
            yield outcome

    def _target(self, path: Path, kept: str, at: datetime) -> Path:
        return free_place(self.folder, path.relative_to(self.folder / CLAIMED).parts, kept, at)

    def _refuse(self, path: Path, words: str, at: datetime) -> Outcome:
        back = f"When that is mended, send the file again. Nobody looks into a folder called {REFUSED}."
        refuse(path, self._target(path, REFUSED, at), f"{words}\n\n{back}", at)
        return Outcome(*self._place(path), path.name, refused=True, words=words)

    def _take(self, path: Path) -> Outcome:
        sender, feed = self._place(path)
        at = timezone.now()
        before = _state(path)
        words = _no_file(path, feed)
        if words:
            return self._refuse(path, words, at)
        if path.name.endswith(NO_ROWS):
            path.rename(self._target(path, DONE, at))
            return Outcome(sender, feed, path.name, Taken(path.name))
        try:
            taken = take(path=path, feed=feed, sender=sender, actor=ACTOR, at=at)
        except Refused as refused:
            return self._refuse(path, str(refused), at)
        if _state(path) != before:
            self._again[path] = time.monotonic() + self.still_seconds
            return Outcome(sender, feed, path.name, words="It was still being written, and is taken again.")
        target = self._target(path, DONE, at)
        if taken.quarantined:
            write_whole(target.with_name(f"{target.name}.reasons.csv"), _returned(taken, at))
        path.rename(target)
        return Outcome(sender, feed, path.name, taken)

    def _place(self, path: Path) -> tuple[str, str]:
        """The sender and the feed that the place of a claimed file says; empty where it says none."""
        sender, feed, *_ = (*path.relative_to(self.folder / CLAIMED).parts[:-1], "", "")
        return sender, feed

    def _files(self, problems: list[tuple[Path, OSError]]) -> Iterator[Path]:
        """What senders put here and is no folder; nothing in a folder that is a link."""

        def cannot_look(error: OSError) -> None:
            problems.append((Path(error.filename), error))

        for place, folders, names in os.walk(self.folder, onerror=cannot_look):
            folders[:] = sorted(name for name in folders if name not in (DONE, REFUSED) and not name.startswith("."))
            depth = len(Path(place).relative_to(self.folder).parts)
            if depth > 2 and not folders and not names:
                _clear_away(Path(place))
            yield from (
                Path(place, name)
                for name in names
                if not name.startswith(".") and not name.lower().endswith(UNFINISHED)
            )

    def _once(self, path: Path, words: str) -> Outcome | None:
        """What keeps something from being taken, which stays where it is; nothing where that was said before."""
        if (path, words) in self._said:
            return None
        self._said.add((path, words))
        sender, feed, *_ = (*path.relative_to(self.folder).parts[:-1], "", "")
        return Outcome(plain(sender), plain(feed), plain(path.name), words=words)


def make_inbox(folder: Path) -> None:
    """Make a folder one that may be watched, once and for good.

    Raises NoInbox for one that holds anything but folders of feeds in folders of senders: whoever names a wrong
    folder must not find its files moved.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / CLAIMED).is_dir():
        for found in _visible(folder):
            inside = _visible(found) if _is_folder(found) else [found]
            strange = next((each for each in inside if each.name not in FEEDS or not _is_folder(each)), None)
            if strange:
                raise NoInbox(
                    f"{folder} holds something else than files of senders: {plain(strange.name)}. Give Joinery a "
                    "folder for these alone. In it, each sender has a folder, and in that each feed: RZZ01/fhir."
                )
    make_folder(folder, CLAIMED)


def _is_folder(path: Path) -> bool:
    return stat.S_ISDIR(path.lstat().st_mode)


def _visible(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]


def sole(folder: Path) -> AbstractContextManager[None]:
    """Hold a folder while watching it. Raises BlockingIOError when another process holds it, and NoInbox."""
    make_inbox(folder)
    return only_one(folder / CLAIMED)


def keep_taking(folder: Path, stop: threading.Event) -> None:
    """Watch a folder until told to stop, as the worker does; another process that watches it goes first."""
    while not stop.is_set():
        try:
            with sole(folder):
                _keep_looking(Watch(folder), stop)
        except BlockingIOError:
            _log.info("another process watches the folder")
        except (OSError, NoInbox):
            _log.exception("the folder cannot be watched")
        stop.wait(AGAIN_SECONDS)


def _keep_looking(watch: Watch, stop: threading.Event) -> None:
    while not stop.is_set():
        for outcome in watch.claim(time.monotonic()):
            log(outcome)
        for outcome in watch.take(time.monotonic()):
            log(outcome)
            if stop.is_set():
                return
        close_old_connections()
        stop.wait(LOOK_SECONDS)


def log(outcome: Outcome) -> None:
    """Log what became of a file, without its name, which may be that of a person."""
    kept = {"sender": outcome.sender, "feed": outcome.feed}
    if outcome.taken:
        counts = ("rows", "taken", "unchanged", "superseded", "quarantined")
        kept |= {name: getattr(outcome.taken, name) for name in counts}
        _log.info("took a file", extra={"kept": kept})
    elif outcome.refused:
        _log.warning("refused a file", extra={"kept": kept})
    else:
        _log.error("a file was not taken and is tried again", extra={"kept": kept})


def free_place(folder: Path, parts: tuple[str, ...], kept: str, at: datetime) -> Path:
    """Where a file goes that stood at these parts below a folder: a free name in its feed's `done` or `refused`."""
    depth = min(2, len(parts) - 1)
    day = timezone.localdate(at).isoformat()
    first = make_folder(folder, *parts[:depth], kept, day, *parts[depth:-1]) / parts[-1]
    target, number = first, 1
    while os.path.lexists(target):
        number += 1
        target = first.with_name(f"{first.stem}-{number}{first.suffix}")
    return target


def refuse(path: Path, target: Path, words: str, at: datetime) -> None:
    """Put a file aside with the reason beside it: the reason first, so that no file is without one."""
    when = timezone.localtime(at).strftime("%d.%m.%Y at %H:%M")
    said = f"{target.name} was refused on {when}. Nothing of it was taken.\n\n{words}\n"
    write_whole(target.with_name(f"{target.name}.why.txt"), [said.encode()])
    path.rename(target)
    sync(target.parent)


def plain(name: str) -> str:
    """A name that can be shown and stored: what cannot be printed becomes `_`, and the end of a long one is kept."""
    shown = "".join(c if c.isprintable() and c not in "/\\" else "_" for c in name)
    return shown.encode()[-MOST_NAME_BYTES:].decode(errors="ignore").lstrip(".") or "_"


def sync(folder: Path) -> None:
    """Let what was renamed into a folder outlast a power cut."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def make_folder(folder: Path, *names: str) -> Path:
    """The folder of these names below `folder`, made where it is not there. Raises OSError for a link."""
    for name in names:
        folder /= name
        try:
            folder.mkdir()
            sync(folder.parent)
        except FileExistsError:
            if not stat.S_ISDIR(folder.lstat().st_mode):
                raise NotADirectoryError(errno.ENOTDIR, "a folder is a link, or no folder", name) from None
    return folder


def _below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        if Path(place) != folder and not folders and not names:
            _clear_away(Path(place))
        yield from (Path(place, name) for name in names if (Path(place), name) != (folder, "lock"))


def _clear_away(folder: Path) -> None:
    with suppress(OSError):  # something came into it
        if time.time() - folder.stat().st_mtime >= EMPTY_SECONDS:
            folder.rmdir()


def _state(path: Path) -> tuple[int, ...]:
    """What changes when a file does. Raises FileNotFoundError when it has gone."""
    found = path.lstat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _order(path: Path) -> tuple[bool, bool, int, str]:
    # Who is who is decided by a council's file of people, before anything is filed under them. What describes
    # a file is looked at when that is taken, so it stays until then.
    return path.name.endswith(NO_ROWS), path.stem != "person", path.lstat().st_mtime_ns, str(path)


def _no_file(path: Path, feed: str) -> str:
    """Why something is not to be read as a file of a feed; empty when it is."""
    if not stat.S_ISREG(path.lstat().st_mode):
        return NO_FILE
    if not feed:
        return "Files belong into a folder named after the feed, in one named after the sender's code: RZZ01/fhir."
    if not os.access(path, os.R_OK):
        return "Joinery may not read it. Give it the right to read the file."
    return ""


def _words(error: Exception) -> str:
    """What may be said of an error: never what it quotes, which may be of a person."""
    strerror = error.strerror if isinstance(error, OSError) else None
    return strerror or type(error).__name__


def _returned(taken: Taken, at: datetime) -> Iterator[bytes]:
    """The rows that were quarantined, each with its reasons, as a CSV file for their sender."""
    if taken.submission_id is not None:
        viewing = open_returned(submission_id=taken.submission_id, posts=None, actor=ACTOR, at=at)
        yield from returned_rows(viewing, taken.submission_id)
        return
    # The directory keeps no rows to give back. A spreadsheet must not take a reason for a formula.
    text = io.StringIO(newline="")
    rows = ([f"'{reason}" if reason.startswith(FORMULA) else reason] for reason in taken.reasons)
    csv.writer(text).writerows([["reason"], *rows])
    yield text.getvalue().encode()


def write_whole(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file that is on disk whole, or is not there."""
    new = path.with_name(f".{path.name}")
    new.unlink(missing_ok=True)
    with new.open("xb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)
    sync(path.parent)
