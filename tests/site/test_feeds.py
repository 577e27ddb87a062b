"""`joinery feeds`: who sends what, rows given back, and rows taken again."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.support import Deployment

HEADER = "person_id,family_name,given_names,birth_date,source_id,updated_at,deleted"


def test_a_source_is_told_its_rows_go_back_and_mended_they_are_taken(deployment: Deployment, tmp_path: Path) -> None:
    file = tmp_path / "person.csv"
    file.write_text(f"{HEADER}\nP1,Okonkwo,Ifeoma,1941-03-03,P1,2026-03-02T09:00:00Z,0\nP2,Okonkwo,Ada,soon,P2,x,0\n")
    assert deployment.run("feeds").stdout == "Nobody has sent anything yet.\n"
    taken = deployment.json("take", "--feed", "council", file)
    (source,) = deployment.json("feeds")["sources"]
    wanted = {"feed": "council", "late": False, "open": 1, "rows": 2, "taken": 1, "quarantined": 1}
    assert {key: source[key] for key in wanted} == wanted
    assert "2 rows: 1 taken, 0 unchanged, 0 superseded, 1 quarantined" in deployment.run("feeds", "list").stdout

    back = tmp_path / "back.csv"
    number = taken["files"][0]["submission_id"]
    assert deployment.json("feeds", "returned", number, "--out", back) == {"file": str(back), "rows": 1}
    assert "is there already" in deployment.run("feeds", "returned", number, "--out", back).stderr
    assert "There is no such row" in deployment.run("feeds", "returned", 99, "--out", tmp_path / "x.csv").stderr
    text = back.read_text("utf-8-sig")
    (row,) = csv.DictReader(text.splitlines())
    assert (row["person_id"], row["joinery_row"]) == ("P2", "2")
    assert "birth_date is not a date" in row["joinery_reasons"] and "updated_at is not" in row["joinery_reasons"]

    again = {"taken": 0, "unchanged": 0, "superseded": 0, "still_wrong": 1}
    assert deployment.json("feeds", "retake", "--feed", "council") == again
    assert deployment.json("feeds", "retake", "--feed", "fhir") == again | {"still_wrong": 0}
    mended = tmp_path / "mended" / "person.csv"
    mended.parent.mkdir()
    mended.write_text(text.replace("soon", "1941-03-03").replace(",x,", ",2026-03-02T09:00:00Z,"))
    assert deployment.json("take", "--feed", "council", mended)["taken"] == 1
    assert deployment.json("feeds")["sources"][0]["open"] == 0


def test_a_source_that_never_sent_says_so(deployment: Deployment) -> None:
    deployment.run("take", "--feed", "council", __file__)  # is refused, and makes the source all the same
    (source,) = deployment.json("feeds")["sources"]
    assert (source["last_at"], source["late"]) == (None, False)
    assert deployment.run("feeds").stdout.endswith(": has not sent anything yet\n")
