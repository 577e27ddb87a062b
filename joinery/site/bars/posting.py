"""One POST to a system outside, which may be slow, endless or somebody else: what that may cost is bounded."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from socket import SHUT_RDWR, socket
from threading import Timer
from urllib.parse import urlsplit

SILENT_SECONDS = 20.0  # without a byte
MOST_SECONDS = 60.0  # from the connection to the end of the answer, however it trickles
MOST_ANSWER_BYTES = 1_000_000


class NoAnswer(Exception):
    """Nobody answered in time, or what came is no HTTP; the message names the kind of error and no address."""


def post(address: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    """The status of the answer, and what it says unless it is that all is well. Raises NoAnswer.

    A redirect is not followed, and no proxy or password of the environment is used: what is sent is about a person,
    and goes nowhere but to where it is addressed.
    """
    try:
        return _posted(address, headers, body)
    except (OSError, HTTPException, ValueError) as error:
        raise NoAnswer(type(error).__name__) from None


def _posted(address: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    where = urlsplit(address)
    kind = HTTPSConnection if where.scheme == "https" else HTTPConnection
    with closing(kind(where.hostname or "", where.port, timeout=SILENT_SECONDS)) as connection:
        connection.connect()
        # The time-out of a socket begins anew with each byte; this ends what trickles.
        cut = Timer(MOST_SECONDS, _cut, (connection.sock,))
        cut.daemon = True
        cut.start()
        try:
            connection.request("POST", where.path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, b"" if 200 <= answer.status < 300 else answer.read(MOST_ANSWER_BYTES)
        finally:
            cut.cancel()


def _cut(connection: socket) -> None:
    with suppress(OSError):  # it ended a moment ago
        connection.shutdown(SHUT_RDWR)
