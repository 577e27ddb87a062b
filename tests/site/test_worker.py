"""What the worker does beside the sealing: one job that fails stops neither itself nor another."""

from __future__ import annotations

import logging
import threading
from datetime import datetime

import pytest

from joinery.site import worker

pytestmark = pytest.mark.django_db  # each round puts its connections back


def test_a_job_that_fails_is_done_again_and_told_of_once_while_it_fails_alike(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "EVERY_SECONDS", 0.001)
    stop = threading.Event()
    outcomes: list[Exception | None] = [OSError(), OSError(), None, OSError(), ValueError(), ValueError()]

    def job(at: datetime) -> None:
        outcome = outcomes.pop(0)
        if not outcomes:
            stop.set()
        if outcome:
            raise outcome

    with caplog.at_level(logging.ERROR, "joinery.worker"):
        worker.keep_doing(job, stop)
    assert [record.exc_info and record.exc_info[0] for record in caplog.records] == [OSError, OSError, ValueError]
