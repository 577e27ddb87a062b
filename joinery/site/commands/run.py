"""`joinery run`: one process for the pages and one that seals the logs, started and stopped together."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from types import FrameType
from typing import Any

from joinery.site import setup
from joinery.site.commands import Problem, say


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Serve until stopped."""
    setup.load()
    from django.conf import settings

    if settings.DEMO and arguments.host not in ("127.0.0.1", "localhost"):
        raise Problem("A demonstration is served to this machine only: its passwords are known to all.")
    refuse_taken_port(arguments.host, arguments.port)
    try:
        setup.ensure()
    except setup.NotReady as not_ready:
        raise Problem(str(not_ready)) from None
    return {"served": True}, serve(arguments.host, arguments.port)


def refuse_taken_port(host: str, port: int) -> None:
    """Refuse a port that somebody listens on; granian itself would share it without a word."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(1)
        try:
            taken = probe.connect_ex((host, port)) == 0
        except (OSError, ValueError, TypeError):  # a name that nothing has, or that nothing can have
            raise Problem(f"There is no address {host!a} to serve on. Leave --host out for this machine.") from None
        if taken:
            raise Problem(f"Port {port} is taken on {host}. Stop what runs there, or choose another: --port 8001")


def serve(host: str, port: int) -> int:
    """Run the pages and the worker; when one of them ends, end the other."""
    os.environ.pop("JOINERY_DATABASE_OWNER", None)  # neither needs it, so that nobody finds it there
    web = subprocess.Popen(
        [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port)),
            *("--workers", "1", "--blocking-threads", "4", "--no-ws", "--log-level", "warning"),
            *("--respawn-failed-workers", "joinery.site.wsgi:application"),
        ],
        start_new_session=True,  # a group of its own, so that no process it starts outlives it
    )
    worker = subprocess.Popen([sys.executable, "-m", "joinery.site.worker"], start_new_session=True)
    stopping = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while not stopping and web.poll() is None and worker.poll() is None:
        time.sleep(0.2)
    for process in (web, worker):
        process.terminate()
    for process in (web, worker):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=8)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    if not stopping:
        say("joinery: a process ended by itself, so everything was stopped. See the lines above.")
    return 0 if stopping else 1
