"""Taking a file or a stream of HL7 v2 apart into messages, each with exactly the bytes received.

Between messages only their wrapping is left out: MLLP frames, FHS/BHS envelopes, ends of lines. What is
none of these is handed on as a piece with a fault, so that nothing of a file is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from joinery.apps.base.tables import UnreadableFile

START, END = b"\x0b", b"\x1c"
MOST_MESSAGE_BYTES = 10 * 1024 * 1024  # our own limit
CHUNK_BYTES = 1024 * 1024
_HEADS = re.compile(rb"(?:\A|(?<=[\r\n]))(?:MSH|FHS|BHS|BTS|FTS)(?![A-Za-z0-9])")
_BLANK = b" \t\r\n"


class Piece(NamedTuple):
    """A message; or with a `fault` something else: `noise` between messages, `torn`, `too_long`."""

    body: bytes
    fault: str = ""


class Frames:
    """MLLP frames out of a stream that comes in chunks of any size. 0x0B begins a frame, 0x1C ends it; a
    frame in which another one begins is torn.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._inside = False
        self._searched = 0

    def feed(self, chunk: bytes) -> list[Piece]:
        """The pieces that are whole now."""
        self._buffer += chunk
        found: list[Piece] = []
        while piece := self._next():
            if piece.fault or piece.body.strip(_BLANK):
                found.append(piece)
        return found

    def close(self) -> list[Piece]:
        """What is left when the stream ends: nothing, or half a frame."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return [Piece(rest, "torn")] if self._inside and rest.strip(_BLANK) else []

    def _next(self) -> Piece | None:
        buffer = self._buffer
        if not self._inside:
            start = buffer.find(START)
            noise = bytes(buffer[:start]) if start >= 0 else bytes(buffer)
            del buffer[: len(noise) + (start >= 0)]
            self._inside, self._searched = start >= 0, 0
            if noise.strip(_BLANK):
                return Piece(noise.strip(b"\r\n"), "noise")
            if not self._inside:
                return None
        end = buffer.find(END, self._searched)
        again = buffer.find(START, self._searched, end if end >= 0 else len(buffer))
        if again >= 0:
            return self._cut(again, "torn", inside=True)
        if end >= 0:
            return self._cut(end, "" if end <= MOST_MESSAGE_BYTES else "too_long", inside=False)
        if len(buffer) > MOST_MESSAGE_BYTES:
            return self._cut(len(buffer), "too_long", inside=False)
        self._searched = len(buffer)
        return None

    def _cut(self, at: int, fault: str, *, inside: bool) -> Piece:
        body = bytes(self._buffer[:at])
        del self._buffer[: at + 1]
        self._inside, self._searched = inside, 0
        return Piece(body, fault)


def messages_in(frame: bytes) -> list[Piece]:
    """The messages in the bytes of one frame, or of a whole file without frames; envelopes left out."""
    starts = [found.start() for found in _HEADS.finditer(frame)]
    pieces = [_piece(frame[: starts[0]] if starts else frame, "noise")]
    for start, end in pairwise([*starts, len(frame)]):
        body = frame[start:end]
        if not body.startswith(b"MSH"):
            # An envelope is one segment; what follows it belongs to nothing.
            line = re.search(rb"[\r\n]", body)
            pieces.append(_piece(body[line.end() :] if line else b"", "noise"))
        else:
            pieces.append(_piece(body, "" if len(body) <= MOST_MESSAGE_BYTES else "too_long"))
    return [piece for piece in pieces if piece.body]


def _piece(body: bytes, fault: str) -> Piece:
    """Blank lines around a message are no part of it: it is the same by file and by frame."""
    return Piece(body.strip(b"\r\n") if body.strip(_BLANK) else b"", fault)


def read_pieces(path: Path) -> Iterator[Piece]:
    """Every message of a file, framed or not, and whatever else it holds; in bounded memory.

    Raises UnreadableFile, saying what to do, for a file that holds no HL7 at all.
    """
    with path.open("rb") as file:
        start = file.read(CHUNK_BYTES).removeprefix(b"\xef\xbb\xbf")
        _refuse_other_formats(path, start)
        chunks = _chunks(start, file)
        yield from _framed(chunks) if start.lstrip(_BLANK)[:1] == START else _plain(chunks)


def _chunks(start: bytes, file: object) -> Iterator[bytes]:
    yield start
    while chunk := file.read(CHUNK_BYTES):  # type: ignore[attr-defined]
        yield chunk


def _framed(chunks: Iterator[bytes]) -> Iterator[Piece]:
    frames = Frames()
    for chunk in chunks:
        for piece in frames.feed(chunk):
            yield from [piece] if piece.fault else messages_in(piece.body)
    yield from frames.close()


def _plain(chunks: Iterator[bytes]) -> Iterator[Piece]:
    buffer = b""
    for chunk in chunks:
        buffer += chunk
        # The last message may go on in the next chunk; a head may be cut through, so it begins a line.
        *_, last = [0, *(found.start() for found in _HEADS.finditer(buffer))]
        if len(buffer) - last > MOST_MESSAGE_BYTES:
            last = len(buffer)
        yield from messages_in(buffer[:last])
        buffer = buffer[last:]
    yield from messages_in(buffer)


def _refuse_other_formats(path: Path, start: bytes) -> None:
    if not start.strip(_BLANK):
        raise UnreadableFile(f"{path.name} is empty. Send the file again.")
    if start[:2] in (b"PK", b"\x1f\x8b"):
        raise UnreadableFile(f"{path.name} is compressed. Unpack it, and take the files in it.")
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise UnreadableFile(f"{path.name} is UTF-16. Save it as UTF-8 and send that.")
    if start.lstrip(_BLANK)[:1] != START and not _HEADS.search(start):
        raise UnreadableFile(f"{path.name} holds no HL7 v2 message: no line begins with MSH. Ask for ER7 (pipes).")
