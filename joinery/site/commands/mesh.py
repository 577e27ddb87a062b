"""`joinery mesh`."""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from typing import TYPE_CHECKING, Any

from joinery.site.commands import Problem, say
from joinery.site.commands.watch import Answer, ready, stopped

if TYPE_CHECKING:
    from pathlib import Path

    from joinery.site.mesh import Mailbox


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Empty the mailbox and take what came, once or every few minutes until stopped."""
    ready()
    from django.conf import settings
    from django.db import close_old_connections

    from joinery.site import mesh
    from joinery.site.watching import NoInbox, make_inbox

    answer = Answer()
    counts = {"stored": 0, "unmapped": 0, "reports": 0, "kept_by_mesh": 0}
    folder: Path = settings.JOINERY_INBOX
    try:
        make_inbox(folder)
        mailbox = mesh.mailbox_of(os.environ)
        mesh.routes(settings.JOINERY_DATA)
        if arguments.once:
            _empty(mailbox, folder, counts)
            _take(folder, answer)
            said, code = answer.said()
            return counts | said, 1 if counts["unmapped"] or counts["kept_by_mesh"] else code
        stop = stopped()
        say(f"joinery: collecting for the mailbox {mailbox.name}")
        while not stop.is_set():
            try:
                _empty(mailbox, folder, counts)
            except mesh.NotSetUp as problem:
                say(f"joinery: {problem} It is tried again.")
            _take(folder, answer)
            close_old_connections()
            stop.wait(mesh.EVERY_SECONDS)
    except (mesh.NotSetUp, NoInbox) as problem:
        raise Problem(str(problem)) from None
    return counts | answer.said()[0], 0


def _empty(mailbox: Mailbox, folder: Path, counts: dict[str, int]) -> None:
    from django.conf import settings
    from django.utils import timezone

    from joinery.site import mesh

    names = {"stored": "stored", "unmapped": "unmapped", "report": "reports", "failed": "kept_by_mesh"}
    known = mesh.routes(settings.JOINERY_DATA)
    with mesh.connect(mailbox) as client:
        for collected in mesh.collect(client, folder, known, timezone.now()):
            counts[names[collected.what]] += 1
            if collected.words:
                say(f"joinery: {collected.message}: {collected.words}")


def _take(folder: Path, answer: Answer) -> None:
    """Take what is there, unless another process watches the folder and does so."""
    from joinery.site.watching import Watch, sole

    with contextlib.suppress(BlockingIOError), sole(folder):
        answer.add(Watch(folder).take(time.monotonic()))
