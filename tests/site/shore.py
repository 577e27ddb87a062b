"""A small place that was started, with neighbourhoods and postcodes, for tests of `joinery place`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.support import Deployment, copied_deployment

HOME = "ZPL77"
SHORE = """
title = "Shore"
[[organisation]]
code = "ZA1"
name = "East Quay"
form = "neighbourhood"
part_of = ["ZPL77"]
areas = ["E01999801", "E01999802"]
[[organisation]]
code = "ZA2"
name = "West Quay"
form = "neighbourhood"
part_of = ["ZPL77"]
areas = ["E01999803"]
[[organisation]]
code = "ZA3"
name = "Hill"
form = "neighbourhood"
part_of = ["ZPL77"]
areas = ["E01999804", "E01999805"]
"""
POSTCODES = "pcds,lsoa21cd,dointr,doterm\nZZ9 1AA,E01999801,198001,\nZZ9 1AB,E01999804,198001,\n"


def today() -> date:
    """The day in the place."""
    return datetime.now(ZoneInfo("Europe/London")).date()


def write_files(folder: Path) -> Path:
    """The directory files of the place, in a folder."""
    folder.mkdir()
    (folder / "shore.toml").write_text(SHORE)
    (folder / "postcodes.csv").write_text(POSTCODES)
    (folder / "read me.txt").write_text("nothing for the directory")
    return folder


@contextmanager
def started(migrated: Deployment, folder: Path) -> Iterator[Deployment]:
    """A deployment that was started for a place of its own, and has taken the place's files."""
    with copied_deployment(migrated, folder / "data") as made:
        user = ("--email", "lead@shore.example", "--lead", "Ada Lead")
        answer = made.json("place", "start", HOME, "--name", "Shore", *user)
        assert answer["user_added"], answer
        assert made.json("place", "take", write_files(folder / "sent"))["failed"] == []
        yield made
