"""An MLLP listener: every message is on disk before it is answered, many of them by one write.

Messages go to a file of the deployment's inbox, in the frames in which they came. About once a second the
file is handed to the process that takes it (`joinery.site.inbox`), so no sender waits for the database, and
one that is locked or away holds up nobody.
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
CHUNK_BYTES = 256 * 1024
MOST_CONNECTIONS = 100  # each may hold a message of 10 MB in memory


class Inbox:
    """The files of one sender. Only one listener writes to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file: int | None = None
        self._path = folder
        self._messages = 0
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._came = asyncio.Event()
        self._stopping = False
        for left in sorted(folder.glob("*.part")):
            left.rename(left.with_suffix(".hl7"))

    def keep(self, body: bytes) -> asyncio.Future[None]:
        """Write bytes; the future is done once they are on disk, or fails with the OSError."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((body, future))
        self._came.set()
        return future

    async def run(self) -> None:
        """Write what waits, all of it by one flush; hand the file over when it is a second old."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while self._waiting or not self._stopping:
            wait = max(0.0, began + HAND_OVER_SECONDS - loop.time()) if self._file is not None else None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._came.wait(), 0 if self._stopping else wait)
            self._came.clear()
            batch, self._waiting = self._waiting, []
            if batch:
                if self._file is None:
                    began = loop.time()
                await self._write(batch)
            if self._file is not None and (loop.time() >= began + HAND_OVER_SECONDS or self._messages >= MOST_MESSAGES):
                self._hand_over()
        self._hand_over()

    def stop(self) -> None:
        """Let `run` write what waits, hand over the last file, and end."""
        self._stopping = True
        self._came.set()

    async def _write(self, batch: list[tuple[bytes, asyncio.Future[None]]]) -> None:
        try:
            await asyncio.to_thread(self._flush, b"".join(body for body, _ in batch))
        except OSError as error:
            # What was half written is torn; a new file begins, and the sender is told to send again.
            self._hand_over()
            for _, future in batch:
                if not future.cancelled():
                    future.set_exception(error)
            return
        self._messages += len(batch)
        for _, future in batch:
            if not future.cancelled():
                future.set_result(None)

    def _flush(self, data: bytes) -> None:
        if self._file is None:
            self._path = self.folder / f"{timezone.now():%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}.part"
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self._sync_folder()
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        os.fdatasync(self._file)

    def _sync_folder(self) -> None:
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _hand_over(self) -> None:
        """Close the file and give it the name by which it is taken."""
        if self._file is not None:
            os.close(self._file)
            self._file, self._messages = None, 0
            with contextlib.suppress(OSError):
                self._path.rename(self._path.with_suffix(".hl7"))


class Listener:
    """Answers every frame of every connection, in the order in which they came."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.counts = {"accepted": 0, "refused": 0, "failed": 0, "torn": 0}
        self._answers = 0
        self._open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until it ends. Nothing that is sent can do more than end it."""
        receiver = Receiver()
        self._open += 1
        try:
            with contextlib.suppress(OSError):
                while self._open <= MOST_CONNECTIONS and (chunk := await reader.read(CHUNK_BYTES)):
                    await self._answer(receiver.feed(chunk), writer)
            await self._answer(receiver.close(), writer)
        finally:
            self._open -= 1
            writer.close()

    async def _answer(self, arrived: list[Arrived], writer: asyncio.StreamWriter) -> None:
        kept = [self.inbox.keep(each.keep) if each.keep else None for each in arrived]
        answers = []
        for each, future in zip(arrived, kept, strict=True):
            code = REFUSED
            if future is not None:
                try:
                    await future
                    code = ACCEPTED
                except OSError:
                    code = TRY_AGAIN
            self._count(each, code)
            if each.answered:
                self._answers += 1
                answers.append(each.answer(code, timezone.now(), self._answers))
        if answers:
            with contextlib.suppress(OSError):
                writer.write(b"".join(answers))
                await writer.drain()

    def _count(self, arrived: Arrived, code: str) -> None:
        name = {ACCEPTED: "accepted", REFUSED: "refused", TRY_AGAIN: "failed"}[code]
        self.counts["torn" if not arrived.answered else name] += 1


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder of a sender. Raises BlockingIOError when another listener holds it."""
    import fcntl

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
