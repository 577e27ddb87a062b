"""The worker: seals the logs each minute, does once a day what is due, and takes what is put into the inbox.

It sends what goes out as well: messages to systems outside, and notices by email.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime

from joinery.site import setup

logger = logging.getLogger("joinery.worker")
EVERY_SECONDS = 60
STOP_SECONDS = 5


def main() -> None:
    """Seal, wait, and again; what fails is logged and tried again a minute later."""
    setup.load()
    from django.conf import settings
    from django.db import DatabaseError, close_old_connections
    from django.utils import timezone

    from joinery.apps.base import seal
    from joinery.apps.base.keys import Keys
    from joinery.site import nightly, notices, watching
    from joinery.site.bars import sending

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    # Neither a long file nor a slow system outside must hold up the sealing. It is safe to end in the middle of either:
    # a file is taken again, and what was sent twice counts once.
    beside = [
        threading.Thread(target=watching.keep_taking, args=(settings.JOINERY_INBOX, stop), daemon=True),
        threading.Thread(target=keep_doing, args=(sending.send_due, stop), daemon=True),
        threading.Thread(target=keep_doing, args=(notices.send_due, stop), daemon=True),
    ]
    for thread in beside:
        thread.start()
    if not settings.MAIL:
        logger.info("no notices are sent: JOINERY_MAIL is not set")
    keys = Keys(settings.KEYS)
    done_on = None
    while not stop.is_set():
        at = timezone.now()
        try:
            rows = seal.seal(keys=keys, at=at)
            if rows:
                logger.info("sealed", extra={"kept": {"rows": rows}})
        except (DatabaseError, seal.BrokenChain):  # pages and intake go on
            logger.exception("sealing failed")
        if done_on != timezone.localdate(at):
            try:
                nightly.run(at)
                done_on = timezone.localdate(at)
            except DatabaseError:
                logger.exception("nightly failed")
        close_old_connections()
        stop.wait(EVERY_SECONDS)
    patience = time.monotonic() + STOP_SECONDS
    for thread in beside:
        thread.join(timeout=max(0.0, patience - time.monotonic()))


def keep_doing(job: Callable[[datetime], object], stop: threading.Event) -> None:
    """Do a job each minute until told to stop. What fails is logged, once while it fails alike, and tried again."""
    from django.db import close_old_connections
    from django.utils import timezone

    failing = ""
    while not stop.is_set():
        try:
            job(timezone.now())
            failing = ""
        except Exception as error:  # whatever it is, the next minute may be better
            if failing != type(error).__name__:
                logger.exception("a job failed and is tried again")
            failing = type(error).__name__
        close_old_connections()
        stop.wait(EVERY_SECONDS)


if __name__ == "__main__":
    main()
