"""The worker: seals the logs each minute, does once a day what is due, and takes what is put into the inbox."""

from __future__ import annotations

import logging
import signal
import threading

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
    from joinery.site import nightly, watching

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    # A long file must not hold up the sealing. It is safe to end in the middle of one: it is taken again.
    taking = threading.Thread(target=watching.keep_taking, args=(settings.JOINERY_INBOX, stop), daemon=True)
    taking.start()
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
    taking.join(timeout=STOP_SECONDS)


if __name__ == "__main__":
    main()
