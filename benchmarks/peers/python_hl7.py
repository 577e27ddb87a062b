"""python-hl7's own MLLP server: each message parsed whole and acknowledged. It keeps nothing on disk.

The server is a process of its own, so that its CPU time is not that of who sends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys

import hl7.mllp

from benchmarks import mllp
from benchmarks.measure import ROOT, cpu_seconds_of


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=1_000)
    options.add_argument("--serve", type=int, metavar="PORT", help="be the server")
    chosen = options.parse_args()
    if chosen.serve:
        asyncio.run(serve(chosen.serve))
        return
    port, bodies = mllp.free_port(), mllp.messages(chosen.messages)
    command = [sys.executable, "-m", "benchmarks.peers.python_hl7", "--serve", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        mllp.wait_until_open(port)
        before = cpu_seconds_of(server.pid)
        one = mllp.acknowledged_per_second(port, bodies, 1)
        used = cpu_seconds_of(server.pid) - before
        eight = mllp.acknowledged_per_second(port, bodies, 8)
    finally:
        server.terminate()
        server.wait(timeout=30)
    print(json.dumps({"rows": len(bodies), "one_per_s": one, "eight_per_s": eight, "answer_cpu_s": used}))


async def serve(port: int) -> None:
    """Serve until ended."""
    async with await hl7.mllp.start_hl7_server(answer, host="127.0.0.1", port=port) as server:
        await server.serve_forever()


async def answer(reader: hl7.mllp.HL7StreamReader, writer: hl7.mllp.HL7StreamWriter) -> None:
    """Parse and acknowledge every message of a connection, until it ends."""
    try:
        while not writer.is_closing():
            message = await reader.readmessage()
            writer.writemessage(message.create_ack())
            await writer.drain()
    except asyncio.IncompleteReadError:
        writer.close()


if __name__ == "__main__":
    main()
