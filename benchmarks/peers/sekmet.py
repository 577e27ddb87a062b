"""sekmet-fhir, a FHIR server in Python on SQLite: the same bundles sent to it as transactions, validated.

What counts is the CPU time of the server alone; sending costs it nothing.
"""

from __future__ import annotations

import argparse
import gzip
import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import bundles, cpu_seconds_of

START_SECONDS = 60
# Its traffic log and its simulator are off; its validation is on.
SETTINGS = """
base_url: http://127.0.0.1:{port}/fhir
host: 127.0.0.1
port: {port}
data_dir: {folder}/data
log_inbound: false
simulator: {{enabled: false}}
validation: {{inbound: strict}}
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bundles", type=int, default=10)
    chosen = options.parse_args()
    files = bundles(chosen.bundles)
    with TemporaryDirectory(prefix="joinery-bench-") as folder:
        port = _free_port()
        settings = Path(folder) / "settings.yaml"
        settings.write_text(SETTINGS.format(port=port, folder=folder))
        command = [Path(sys.executable).with_name("sekmet"), "serve", "-c", settings, "--host", "127.0.0.1"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        server = subprocess.Popen([*command, "--port", str(port)], cwd=folder, **quiet)
        try:
            print(json.dumps(post_all(files, f"http://127.0.0.1:{port}/fhir", server.pid)))
        finally:
            server.terminate()
            server.wait(timeout=30)


def post_all(files: list[Path], address: str, pid: int) -> dict[str, float]:
    """The resources that the server created, as `rows`, and its `cpu_s` meanwhile."""
    _wait_for(f"{address}/metadata")
    rows = 0
    before = cpu_seconds_of(pid)
    for file in files:
        body = gzip.decompress(file.read_bytes())
        request = urllib.request.Request(address, body, {"Content-Type": "application/fhir+json"})
        with urllib.request.urlopen(request, timeout=600) as answer:
            answered = json.load(answer)["entry"]
        refused = [e["response"] for e in answered if not e["response"]["status"].startswith("201")]
        if refused:
            raise SystemExit(f"{file.name}: {len(refused)} resources were not created, the first: {refused[0]}")
        rows += len(answered)
    return {"rows": rows, "cpu_s": cpu_seconds_of(pid) - before}


def _wait_for(address: str) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
