"""`joinery listen`: a hospital's messages over MLLP, received by one process and taken by another."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ipaddress
import os
import signal
import subprocess
import sys
from typing import Any

from joinery.site.commands import Problem, make_ready, say
from joinery.site.commands.run import refuse_taken_port


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Listen until stopped."""
    make_ready()
    from django.conf import settings
    from django.db import connection
    from django.utils import timezone

    from joinery.apps.base.action import Actor, Refused
    from joinery.apps.record.actions import open_source
    from joinery.site.inbox import folder_of
    from joinery.site.listener import only_one

    if not is_loopback(arguments.host) and (settings.DEMO or not arguments.private_network):
        raise Problem("MLLP is not encrypted. To listen beyond this machine, on a private network: --private-network")
    refuse_taken_port(arguments.host, arguments.port)
    try:
        actor = Actor.system("listener")
        open_source(feed="adt", organisation_code=arguments.sender, actor=actor, at=timezone.now())
    except Refused as refused:
        raise Problem(str(refused)) from None
    connection.close()
    try:
        with only_one(folder_of(settings.JOINERY_DATA, arguments.sender)):
            return asyncio.run(listen(arguments.host, arguments.port, arguments.sender)), 0
    except BlockingIOError:
        raise Problem(f"Another listener takes the messages of {arguments.sender} already.") from None


def is_loopback(host: str) -> bool:
    """Whether an address is that of this machine only."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def listen(host: str, port: int, code: str) -> dict[str, Any]:
    """Serve until a signal; then hand over the last file, and let it be taken."""
    from django.conf import settings

    from joinery.site.inbox import folder_of
    from joinery.site.listener import Inbox, Listener

    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    listener = Listener(Inbox(folder_of(settings.JOINERY_DATA, code)))
    server = await loop.create_server(listener.connect, host, port)
    say(f"joinery: listening on {host}:{port} for {code}")
    taker = _start_taker(code)
    try:
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1)
            if taker.poll() is not None and not stop.is_set():
                say("joinery: the process that takes messages ended; it is started again.")
                taker = _start_taker(code)
    finally:
        server.close()
        listener.stop()
        taker.terminate()
        await asyncio.to_thread(taker.wait)
    return dict(listener.counts)


def _start_taker(code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "joinery.site.inbox", code, str(os.getpid())])
