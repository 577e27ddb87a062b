"""The worker: seals the logs each minute, until it is told to stop."""

from __future__ import annotations

import logging
import signal
import threading

from joinery.site import setup

logger = logging.getLogger("joinery.worker")
EVERY_SECONDS = 60


def main() -> None:
    """Seal, wait, and again; a failure is logged and tried again a minute later."""
    setup.load()
    from django.conf import settings
    from django.db import DatabaseError, close_old_connections
    from django.utils import timezone

    from joinery.apps.base import seal

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    keys = seal.Keys(settings.KEYS)
    while not stop.is_set():
        try:
            rows = seal.seal(keys=keys, at=timezone.now())
            if rows:
                logger.info("sealed", extra={"kept": {"rows": rows}})
        except DatabaseError:
            logger.exception("sealing failed")
        close_old_connections()
        stop.wait(EVERY_SECONDS)


if __name__ == "__main__":
    main()
