"""A mail server within the test: SMTP as RFC 5321 has it, as far as a client speaks it, and some ways to fail."""

from __future__ import annotations

import socketserver
from dataclasses import dataclass


@dataclass(frozen=True)
class Received:
    """A message as it came over the wire: whom it is for, and its bytes."""

    to: str
    body: bytes

    @property
    def same_for_all(self) -> list[bytes]:
        """Its lines but those that name the receiver, the moment and the message itself."""
        own = (b"To: ", b"Date: ", b"Message-ID: ")
        return [line for line in self.body.splitlines() if not line.startswith(own)]


class MailServer(socketserver.ThreadingTCPServer):
    """Takes all messages; `answers` says what some addresses get instead, and `away` that nobody gets any further
    than the greeting."""

    daemon_threads, block_on_close = True, False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.received: list[Received] = []
        self.answers: dict[str, str] = {}
        self.away = False
        self.connections = 0

    def taken(self) -> list[str]:
        """Who got a message since the last time that this was asked, in order of the alphabet."""
        found = sorted(each.to.partition(".")[0] for each in self.received)
        self.received.clear()
        return found


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.server.connections += 1
        if self.server.away:
            self._say("421 mail.example is closing")
            return
        self._say("220 mail.example ESMTP")
        to = ""
        while line := self.rfile.readline():
            verb, _, rest = line.decode("ascii").strip().partition(" ")
            verb = verb.upper()
            if verb == "QUIT":
                return
            if verb == "RCPT":
                to = rest.partition("<")[2].partition(">")[0]
                self._say(self.server.answers.get(to.partition(".")[0], "250 yes"))
            elif verb == "DATA":
                self._say("354 go on")
                self.server.received.append(Received(to, b"".join(iter(self.rfile.readline, b".\r\n"))))
                self._say("250 kept")
            else:
                self._say("250 mail.example")

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())
