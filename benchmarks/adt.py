"""A hospital's messages: acknowledged by the listener over MLLP, and taken into the record, on SQLite.

Prints the messages acknowledged in a second on the clock over one connection and over eight, each with one
message in flight and all of them on disk before they are answered, while the listener's other process takes
them; and the `rows` and CPU seconds of taking a file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import mllp
from benchmarks.measure import ROOT, cpu_seconds, cpu_seconds_of, deployment

HOSPITAL = "BENCH"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=5_000)
    chosen = options.parse_args()
    with deployment() as folder:
        bodies = mllp.messages(chosen.messages)
        register()
        # Taken first: those who are listened to are the same people under other numbers, and would be linked.
        print(json.dumps(take(folder, bodies) | listen(bodies)))


def register() -> None:
    """The hospital that sends."""
    from joinery.apps.base.action import Actor
    from joinery.apps.place.actions import OrganisationDetails, register_organisation

    sender = OrganisationDetails(HOSPITAL, "Sender", "health_service")
    register_organisation(details=sender, actor=Actor.system("benchmark"), at=datetime.now(UTC))


def listen(bodies: list[bytes]) -> dict[str, float]:
    """Send the messages to a listener: `one_per_s`, `eight_per_s`, and the listener's own `answer_cpu_s`."""
    port = mllp.free_port()
    command = [sys.executable, "-m", "joinery", "listen", "--port", str(port), "--from", HOSPITAL]
    listener = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        mllp.wait_until_open(port)
        before = cpu_seconds_of(listener.pid)
        one = mllp.acknowledged_per_second(port, bodies, 1)
        used = cpu_seconds_of(listener.pid) - before
        eight = mllp.acknowledged_per_second(port, bodies, 8)
    finally:
        listener.terminate()
        listener.wait(timeout=300)
    return {"one_per_s": one, "eight_per_s": eight, "answer_cpu_s": used}


def take(folder: Path, bodies: list[bytes]) -> dict[str, float]:
    """Take a file of as many messages about other people; its `rows` and `cpu_s`."""
    from joinery.apps.base.action import Actor
    from joinery.apps.record.actions import take_file
    from joinery.site.commands.take import spare_collector

    path = folder / "messages.hl7"
    path.write_bytes(b"\r".join(bodies).replace(b"||H", b"||K").replace(b"|V", b"|U"))
    spare_collector()
    before = cpu_seconds()
    taken = take_file(
        path=path, feed="adt", organisation_code=HOSPITAL, actor=Actor.system("benchmark"), at=datetime.now(UTC)
    )
    if taken.taken != len(bodies):
        raise SystemExit(f"not every message was taken: {taken}")
    return {"rows": taken.rows, "cpu_s": cpu_seconds() - before}


if __name__ == "__main__":
    main()
