"""A hospital's interface engine: made-up ADT messages, sent over MLLP. Standard library only, for peers import it."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

BEGAN = datetime(2026, 11, 1, 8)  # noqa: DTZ001 (as HL7 writes it: time on the wall)
VISIT_EVENTS = ("A01", "A02", "A08", "A02", "A03")
WAIT_SECONDS = 60


def messages(count: int) -> list[bytes]:
    """Visits of five messages each, a person's one after the other: admitted, moved, updated, moved, discharged."""
    return [message(n // len(VISIT_EVENTS), n % len(VISIT_EVENTS), n) for n in range(count)]


def message(visit: int, step: int, number: int) -> bytes:
    """One message of the ITK profile, as wide as a trust sends it, about an invented person."""
    came = BEGAN + timedelta(minutes=visit)
    at = f"{came + timedelta(hours=6 * step):%Y%m%d%H%M%S}"
    event, ward = VISIT_EVENTS[step], f"W{(visit + step) % 30}"
    left = at if event == "A03" else ""
    lines = [
        rf"MSH|^~\&|PAS|RZZ|ROUTE|ROUTE|{at}||ADT^{event}|RZZ{number:010}|P|2.4|||||GBR|UNICODE|EN||ITKv1.0",
        f"EVN||{at}|||U1001^CLERK^WARD|{at}",
        f"PID|1||H{visit}^^^RZZPAS||FAMILY{visit}^ANN^ROSE^^MRS^^L~FAMILY{visit}^NAN^^^^^PREFERRED||"
        f"19{30 + visit % 60}0229|2|||{visit} The Maltings^^EXAMPLETOWN^^ZZ99 3AA^GBR^H||01632960101^PRN^PH~"
        "07700900101^PRS^CP||en|W||||||A||||||||N||NSTS02".replace("0229", f"{1 + visit % 12:02}{1 + visit % 28:02}"),
        "PD1|||MALTINGS SURGERY^^Z99001|G9999998^DOE^JO^^^DR",
        f"NK1|1|FAMILY{visit}^SAM^^^MR^^L|9||07700900102^PRS^CP",
        f"PV1|1|I|{ward}^RZZ{ward}^B{visit % 24}^RZZ01|21|||C9999998^REED^AMAL^^^DR|||300||||19|||||V{visit}^^^RZZPAS"
        f"{'|' * 25}{came:%Y%m%d%H%M%S}|{left}",
        f"PV2|||FALL AT HOME||||||{came + timedelta(days=5):%Y%m%d%H%M}",
    ]
    return "\r".join(lines).encode()


def framed(body: bytes) -> bytes:
    return b"\x0b" + body + b"\r\x1c\r"


def acknowledged_per_second(port: int, bodies: Sequence[bytes], connections: int) -> float:
    """Send the messages over so many connections, each with one message in flight, as hospitals do; how many
    were acknowledged in a second on the clock. Raises SystemExit for an answer that is not AA.
    """
    waiting = iter([framed(body) for body in bodies])
    open_now = selectors.DefaultSelector()
    began = time.perf_counter()
    for _ in range(connections):
        engine = socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS)
        engine.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        open_now.register(engine, selectors.EVENT_READ, bytearray())
        engine.sendall(next(waiting))
    got = 0
    while got < len(bodies):
        ready = open_now.select(WAIT_SECONDS)
        if not ready:
            raise SystemExit(f"no answer for {WAIT_SECONDS} seconds, after {got} messages")
        for key, _ in ready:
            engine, answer = key.fileobj, key.data
            chunk = engine.recv(65536)  # type: ignore[union-attr]
            answer += chunk
            if not chunk or (answer.endswith(b"\x1c\r") and b"\rMSA|AA|" not in answer):
                raise SystemExit(f"not acknowledged: {bytes(answer)!r}")
            if answer.endswith(b"\x1c\r"):
                got += 1
                answer.clear()
                if body := next(waiting, None):
                    engine.sendall(body)  # type: ignore[union-attr]
    seconds = time.perf_counter() - began
    for key in list(open_now.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    return len(bodies) / seconds


def free_port() -> int:
    """A port on this machine that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_open(port: int) -> None:
    """Raises SystemExit when nobody listens within a minute."""
    began = time.monotonic()
    while time.monotonic() < began + WAIT_SECONDS:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nobody listens on port {port}")
