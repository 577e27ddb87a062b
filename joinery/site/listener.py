"""An MLLP listener: every message is on disk before it is answered, many of them by one write.

Messages go to a file of the deployment's inbox, in the frames in which they came. About once a second the
file is handed to the process that takes it (`joinery.site.inbox`), so no sender waits for the database, and
one that is locked or away holds up nobody.

One thread does all of it. While it waits for the disk, what other senders send gathers and is written next,
by one flush; a second thread was measured to cost more than it spares.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from django.utils import timezone

from joinery.apps.record.actions import ACCEPTED, REFUSED, TRY_AGAIN, Arrived, Receiver

HAND_OVER_SECONDS = 1.0
MOST_MESSAGES = 10_000  # in one file
MOST_CONNECTIONS = 100  # each may hold a message of 10 MB in memory


class Inbox:
    """The files of one sender. Only one listener writes to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.messages = 0
        self._file: int | None = None
        self._path = folder
        self._closed: list[Path] = []
        for left in sorted(folder.glob("*.part")):
            left.rename(left.with_suffix(".hl7"))

    @property
    def is_open(self) -> bool:
        """Whether there is a file that was not handed over."""
        return self._file is not None

    def keep(self, messages: list[bytes]) -> None:
        """Write messages; when this returns they are on disk. Raises OSError: what was half written is
        torn then, and the next ones begin a new file.
        """
        try:
            if self._file is None:
                self._begin()
            self._flush(b"".join(messages))
        except OSError:
            self.hand_over()
            raise
        self.messages += len(messages)

    def hand_over(self) -> bool:
        """Close the file and give it the name by which it is taken; false when that must be tried again."""
        if self._file is not None:
            os.close(self._file)
            self._file, self.messages = None, 0
            self._closed.append(self._path)
        self._closed = [path for path in self._closed if not _renamed(path)]
        return not self._closed

    def _begin(self) -> None:
        self._path = self.folder / f"{timezone.now():%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}.part"
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _flush(self, data: bytes) -> None:
        assert self._file is not None
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        os.fdatasync(self._file)


def _renamed(path: Path) -> bool:
    try:
        path.rename(path.with_suffix(".hl7"))
    except FileNotFoundError:
        return True  # somebody took it away
    except OSError:
        return False
    return True


class Listener:
    """Answers every frame of every connection, in the order in which they came."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.counts = {"accepted": 0, "refused": 0, "failed": 0, "torn": 0}
        self.connections: set[Connection] = set()
        self._waiting: list[tuple[Connection, Arrived]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._answers = 0

    def connect(self) -> Connection:
        """A connection that begins, for `loop.create_server`."""
        return Connection(self)

    def receive(self, connection: Connection, arrived: list[Arrived]) -> None:
        """Take what a connection brought; it is answered once the others that are ready were heard too."""
        if arrived and not self._waiting:
            asyncio.get_running_loop().call_soon(self._answer)
        self._waiting += [(connection, each) for each in arrived]

    def stop(self) -> None:
        """Answer what waits, hand over the last file, and end every connection."""
        self._answer()
        self._hand_over()
        for connection in list(self.connections):
            connection.end()

    def _answer(self) -> None:
        waiting, self._waiting = self._waiting, []
        stored = self._store([each.keep for _, each in waiting if each.keep])
        answers: dict[Connection, list[bytes]] = {}
        for connection, each in waiting:
            code = REFUSED if not each.keep else ACCEPTED if stored else TRY_AGAIN
            self._count(each, code)
            if each.answered:
                self._answers += 1
                answers.setdefault(connection, []).append(each.answer(code, timezone.now(), self._answers))
        for connection, said in answers.items():
            connection.write(b"".join(said))

    def _store(self, messages: list[bytes]) -> bool:
        """Keep messages, and see to it that their file is handed over; whether they are on disk."""
        if messages:
            try:
                self.inbox.keep(messages)
            except OSError:
                return False
            if self.inbox.messages >= MOST_MESSAGES:
                self._hand_over()
            elif self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(HAND_OVER_SECONDS, self._hand_over)
        return True

    def _hand_over(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.inbox.hand_over():
            self._timer = asyncio.get_running_loop().call_later(HAND_OVER_SECONDS, self._hand_over)

    def _count(self, arrived: Arrived, code: str) -> None:
        name = {ACCEPTED: "accepted", REFUSED: "refused", TRY_AGAIN: "failed"}[code]
        self.counts["torn" if not arrived.answered else name] += 1


class Connection(asyncio.Protocol):
    """One connection, until it ends. Nothing that is sent can do more than end it."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._receiver = Receiver()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Listen to it, unless there are too many."""
        assert isinstance(transport, asyncio.Transport)
        if len(self._listener.connections) >= MOST_CONNECTIONS:
            transport.abort()
            return
        self._transport = transport
        self._listener.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Hand on every message that is whole now."""
        if self._transport is not None:
            self._listener.receive(self, self._receiver.feed(data))

    def connection_lost(self, exc: Exception | None) -> None:
        """Keep what is left: half a message."""
        if self._transport is not None:
            self._transport = None
            self._listener.connections.discard(self)
            self._listener.receive(self, self._receiver.close())

    def pause_writing(self) -> None:
        """Read nothing from a sender that does not read its answers."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on once it has read them."""
        if self._transport is not None:
            self._transport.resume_reading()

    def write(self, answers: bytes) -> None:
        """Send answers, if somebody is still there to read them."""
        if self._transport is not None:
            self._transport.write(answers)

    def end(self) -> None:
        """End the connection after what was written to it. Half a message is not kept: it comes again."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
            self._listener.connections.discard(self)


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder of a sender. Raises BlockingIOError when another listener holds it."""
    import fcntl

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
