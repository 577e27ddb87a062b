"""Make docs/images/record.png: Mrs Smith's page as a nurse sees it, from a demonstration made for the picture.

Needs Chromium and the development packages: `.venv/bin/python tools/screenshot.py`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "images" / "record.png"
SIZE = {"width": 1280, "height": 1180}
LARGEST_BYTES = 300_000
NURSE = "Bronagh Kelly"


def main() -> None:
    """Build a small demonstration, serve it, walk to the page and take the picture."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("There is no Chromium here. On Debian or Ubuntu: sudo apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"JOINERY_DATA": f"{folder}/data", "PYTHONPATH": str(ROOT)}
        environment.pop("JOINERY_DATABASE", None)
        joinery = [sys.executable, "-m", "joinery"]
        subprocess.run([*joinery, "demo", "--people", "60", "--no-serve"], env=environment, check=True)
        port = free_port()
        server = subprocess.Popen([*joinery, "run", "--port", str(port)], env=environment)
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(f"{address}/healthz")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
                open_record(page, address)
                TARGET.parent.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=TARGET)
                browser.close()
        finally:
            server.terminate()
            server.wait()
    size = TARGET.stat().st_size
    print(f"Wrote {TARGET.relative_to(ROOT)}, {size:,} bytes.")
    if size > LARGEST_BYTES:
        sys.exit("The picture is too large for the repository: make it smaller.")


def open_record(page: Page, address: str) -> None:
    """Log in as the nurse, find Mrs Smith, open her record."""
    page.goto(address)
    page.get_by_role("button", name=NURSE).click()
    page.get_by_label("NHS number").fill("999 000 1111")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="SMITH").click()
    page.get_by_role("heading", name="Timeline").wait_for()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str) -> None:
    """Wait until the server answers, for 20 seconds at most."""
    for _ in range(100):
        try:
            urllib.request.urlopen(address, timeout=1).close()
            return
        except OSError:
            time.sleep(0.2)
    sys.exit("The server did not answer.")


if __name__ == "__main__":
    main()
