"""Meetings on pages: planned at a time as people write it, and what they ask for stands where it is waited for."""

from __future__ import annotations

from datetime import timedelta

from tests.pages.test_care_pages import NURSING, ada, nurse, refers
from tests.pages.test_linking_pages import text
from tests.pages.world import SURGERY, World

__all__ = ["ada"]


def test_a_meeting_is_planned_and_what_it_asks_for_is_read_by_who_is_to_do_it(world: World, ada: str) -> None:
    bo, day = nurse(world), world.at.date() + timedelta(days=7)
    refers(world.user("gp", SURGERY), ada)
    on = {"service": NURSING, "on_day": day.day, "on_month": day.month, "on_year": day.year}
    assert "Enter the time like 2:30pm" in text(bo.post("/meetings/", on | {"time": "half past two"}))
    meeting = bo.post("/meetings/", on | {"time": "2:30 pm"})["Location"]
    assert "2:30pm" in text(bo.get(meeting))
    choice = text(bo.get(f"/people/{ada}/meeting/"))
    assert f"{day:%A} {day.day} {day:%B} {day.year}, 2:30pm" in choice
    number = meeting.rstrip("/").rpartition("/")[2]
    assert bo.post(f"/people/{ada}/meeting/", {"meeting": number, "words": "Falls"}).status_code == 302
    due = {"due_day": day.day, "due_month": day.month, "due_year": day.year}
    line = bo.get(meeting).content.decode().partition('name="line" value="')[2].partition('"')[0]
    asked = {"verb": "ask", "line": line, "words": "Measure her for a frame", "user": ""} | due
    assert bo.post(meeting, asked).status_code == 302
    assert "Measure her for a frame" in text(bo.get("/work/asked/"))
