"""The process that takes what a listener received: file after file of a sender's inbox, each once."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

LOOK_SECONDS = 0.1
AGAIN_SECONDS = 5.0
_log = logging.getLogger("joinery.inbox")


def folder_of(data: Path, code: str) -> Path:
    """The inbox of a sender in a deployment's folder; a code becomes a plain name."""
    return data / "inbox" / "adt" / "".join(c if c.isalnum() or c in "-_" else "_" for c in code)


def take_all(folder: Path, code: str) -> tuple[int, int]:
    """Take every file that is ready, oldest first; returns how many were taken, and how many failed.

    A file that was taken is deleted: its messages are in the record. One that fails is left for another
    time and holds up none after it, for the order of messages does not matter.
    """
    from django.db import close_old_connections
    from django.utils import timezone

    from joinery.apps.base.action import Actor, Refused
    from joinery.apps.record.actions import take_file

    taken = failed = 0
    for path in sorted(folder.glob("*.hl7")):
        try:
            take_file(path=path, feed="adt", organisation_code=code, actor=Actor.system("listener"), at=timezone.now())
        except FileNotFoundError:
            continue  # the process of a listener that was killed took it a moment ago
        except Refused as refused:
            # Only a file without a single frame: nothing of it was ever acknowledged.
            path.rename(path.with_suffix(".unreadable"))
            _log.error("A file of the inbox cannot be read (%s) and was put aside.", refused.code)
            failed += 1
        except Exception as problem:  # whatever it is, the messages are on disk, and it is tried again
            _log.error("A file of messages was not taken (%s); it is tried again.", type(problem).__name__)
            close_old_connections()
            failed += 1
        else:
            path.unlink(missing_ok=True)
            taken += 1
    return taken, failed


def main(code: str, listener: int) -> int:
    """Take what comes until told to stop, or until the listener (its process id) is there no more."""
    from joinery.site import setup

    setup.load()
    from django.conf import settings

    from joinery.site.commands.take import spare_collector

    stopping = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the listener decides, after it has handed over its last file
    spare_collector()
    folder = folder_of(settings.JOINERY_DATA, code)
    while True:
        last = stopping or os.getppid() != listener  # without a listener nothing comes any more
        taken, failed = take_all(folder, code)
        if last:
            return 0
        if not taken and not stopping:
            time.sleep(AGAIN_SECONDS if failed else LOOK_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
