"""What a hostile or broken system outside costs who sends to it: never more time or memory than is said."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from joinery.site.bars import posting
from joinery.site.bars.posting import NoAnswer, post

SILENT, MOST = 0.3, 0.7
HEADERS = {"Content-Type": "application/fhir+json", "Authorization": "Bearer key"}


class Hostile(socketserver.StreamRequestHandler):
    """Reads a request, and answers as its path says."""

    server: Any

    def handle(self) -> None:
        path = self.rfile.readline().split()[1].decode().strip("/")
        while self.rfile.readline() not in (b"\r\n", b""):
            pass
        self.server.asked.append(path)
        try:
            getattr(self, path)()
        except OSError:
            self.server.cut.append(path)

    def silent(self) -> None:
        time.sleep(MOST * 2)

    def gone(self) -> None:
        """Says nothing and hangs up."""

    def garbage(self) -> None:
        self.wfile.write(b"220 mail.example ESMTP\r\n")

    def trickles_head(self) -> None:
        self._trickle(b"HTTP/1.1 200 OK\r\n")

    def trickles_body(self) -> None:
        self._trickle(b"HTTP/1.1 500 No\r\nContent-Length: 1000000\r\n\r\n")

    def goes_on(self) -> None:
        """Says `100 Continue` for ever."""
        while True:
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            time.sleep(0.01)

    def endless(self) -> None:
        self.wfile.write(b"HTTP/1.1 500 No\r\n\r\n")
        while True:
            self.wfile.write(b"x" * 65_536)

    def well(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n{")
        time.sleep(MOST * 2)

    def elsewhere(self) -> None:
        self.wfile.write(f"HTTP/1.1 307 There\r\nLocation: {self.server.address}/stolen\r\n\r\n".encode())

    def stolen(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")

    def _trickle(self, first: bytes) -> None:
        self.wfile.write(first)
        while True:
            self.wfile.write(b"a")
            time.sleep(SILENT / 4)


@pytest.fixture(scope="module")
def hostile() -> Iterator[Any]:
    server: Any = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Hostile)
    server.daemon_threads, server.block_on_close = True, False
    server.address = f"http://127.0.0.1:{server.server_address[1]}"
    server.asked, server.cut = [], []
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_nothing_that_a_server_does_takes_longer_or_holds_more_than_is_said(
    hostile: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "SILENT_SECONDS", SILENT)
    monkeypatch.setattr(posting, "MOST_SECONDS", MOST)
    # What a client would otherwise heed of its environment.
    monkeypatch.setenv("HTTP_PROXY", f"{hostile.address}/stolen")

    def ask(path: str) -> tuple[int, int] | str:
        try:
            status, said = post(f"{hostile.address}/{path}", HEADERS, b"{}")
        except NoAnswer as none:
            return str(none)
        return status, len(said)

    expected: dict[str, Any] = {
        "silent": "TimeoutError",
        "gone": "RemoteDisconnected",
        "garbage": "BadStatusLine",
        "endless": (500, posting.MOST_ANSWER_BYTES),
        "well": (200, 0),
        "elsewhere": (307, 0),
        "stolen": (200, 0),
    }
    for path, answer in expected.items():
        began = time.monotonic()
        assert ask(path) == answer, path
        assert time.monotonic() - began < MOST, path
    assert hostile.asked.count("stolen") == 1, "a redirect is not followed"
    for path in ("trickles_head", "trickles_body", "goes_on"):
        began = time.monotonic()
        ask(path)
        assert MOST * 0.9 < time.monotonic() - began < MOST * 3, path


def test_what_cannot_be_asked_is_no_answer(hostile: Any) -> None:
    nobody = "http://127.0.0.1:1/"
    for address, headers in (
        (nobody, HEADERS),
        ("http://127.0.0.1:999999/", HEADERS),
        ("http://nowhere.invalid/", HEADERS),
        (f"{hostile.address}/well", HEADERS | {"Authorization": "Bearer a\r\nX-Other: b"}),
        (f"{hostile.address}/we ll", HEADERS),
        (hostile.address.replace("http:", "https:"), HEADERS),
    ):
        with pytest.raises(NoAnswer) as raised:
            post(address, headers, b"{}")
        assert "127.0.0.1" not in str(raised.value)
    assert hostile.asked.count("well") <= 1
