"""A watched folder: every file ends in `done` or in `refused` with a reason, whatever it is and whoever is killed."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from joinery.site.watching import CLAIMED, NoInbox, Watch, free_place, plain, sole
from tests.site.feeds import PEOPLE_HEADER, patient_file, people_file
from tests.site.test_serving import running, until
from tests.support import Deployment

pytestmark = pytest.mark.any_database

STILL = 0.2
MANY = 4_100  # three batches


@pytest.fixture
def place(deployment: Deployment) -> Deployment:
    """A deployment whose directory holds a council and a surgery."""
    for code, form in (("999", "council"), ("Z90001", "gp_practice")):
        added = deployment.run("place", "add", code, "--name", f"Example {form}", "--form", form)
        assert added.returncode == 0, added.stderr
    return deployment


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "put files here"
    (made / "999" / "council").mkdir(parents=True)
    (made / "Z90001" / "fhir").mkdir(parents=True)
    return made


def once(place: Deployment, folder: Path, code: int = 0) -> dict[str, object]:
    done = place.run("watch", folder, "--once", "--still", STILL, "--json")
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def lying(folder: Path) -> list[str]:
    """Every file below a folder but the lock, with the date left out."""
    found = sorted(path for path in folder.rglob("*") if os.path.lexists(path) and not path.is_dir())
    names = [str(path.relative_to(folder)) for path in found if path != folder / CLAIMED / "lock"]
    today = datetime.now(UTC).date()
    return [name.replace(f"/{today.isoformat()}/", "/") for name in names]


def people(place: Deployment) -> int:
    return int(place.sql("SELECT COUNT(*) FROM record_details")[0][0])


def test_a_file_is_taken_once_and_then_lies_in_done(place: Deployment, folder: Path) -> None:
    patient_file(folder / "Z90001/fhir/patient.json")
    people_file(folder / "999/council/monday/person.csv", 2)
    (folder / "999/council/monday/manifest.json").write_text("{}")
    (folder / "999/council/monday/person.manifest.json").write_text("{}")
    answer = once(place, folder)
    assert [answer[name] for name in ("rows", "taken", "refused", "failed", "waiting")] == [3, 3, [], [], 0]
    monday = "999/council/done/monday"
    kept = [f"{monday}/manifest.json", f"{monday}/person.csv", f"{monday}/person.manifest.json"]
    assert lying(folder) == [*kept, "Z90001/fhir/done/patient.json"]

    patient_file(folder / "Z90001/fhir/patient.json")
    answer = once(place, folder)
    assert [answer[name] for name in ("rows", "taken", "unchanged")] == [1, 0, 1]
    assert lying(folder)[3:] == ["Z90001/fhir/done/patient-2.json", "Z90001/fhir/done/patient.json"]
    assert once(place, folder)["rows"] == 0


def test_rows_in_quarantine_are_listed_beside_their_file(place: Deployment, folder: Path) -> None:
    (folder / "999/council/person.csv").write_text(f"{PEOPLE_HEADER}\nP1,,Okonkwo,,,P1,2026-03-02T09:00:00Z,0\n")
    answer = once(place, folder)
    assert (answer["rows"], answer["quarantined"], answer["refused"]) == (1, 1, [])
    assert lying(folder) == ["999/council/done/person.csv", "999/council/done/person.csv.reasons.csv"]
    (reasons,) = folder.rglob("*.reasons.csv")
    text = reasons.read_text("utf-8-sig")
    assert text.startswith(PEOPLE_HEADER) and "Okonkwo" in text and "given_names is empty" in text.splitlines()[1]
    looked = place.sql("SELECT actor, outcome FROM base_actionentry WHERE actor LIKE '%watched folder'")
    assert looked and {outcome for _, outcome in looked} == {"done"}


def test_what_cannot_be_taken_is_refused_with_words(place: Deployment, folder: Path) -> None:
    (folder / CLAIMED).mkdir()
    (folder / "999/council/referral.csv").write_bytes(b"PK\x03\x04 a workbook")
    (folder / "Z90001/telex").mkdir()
    patient_file(folder / "Z90001/telex/patient.json")
    (folder / "Z404/fhir").mkdir(parents=True)
    patient_file(folder / "Z404/fhir/patient.json")
    patient_file(folder / "loose.json")
    patient_file(folder / "Z90001/lost.json")
    answer = once(place, folder, code=1)

    why = {path.name.removesuffix(".why.txt"): path.read_text() for path in folder.rglob("*.why.txt")}
    assert "a folder named after the feed" in why["loose.json"] and "a folder named after the feed" in why["lost.json"]
    refused = {(each["sender"], each["feed"], each["file"]): each["error"] for each in answer["refused"]}  # type: ignore[index,attr-defined]
    assert "No organisation has the code Z404" in refused["Z404", "fhir", "patient.json"]
    assert "There is no feed called telex" in refused["Z90001", "telex", "patient.json"]
    assert refused["999", "council", "referral.csv"] in why["referral.csv"]
    assert len(refused) == 5 and all("send the file again" in words for words in why.values())
    assert [name for name in lying(folder) if "refused/" not in name] == []
    assert people(place) == 0


def test_what_is_no_file_is_left_where_it_is(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, sent = patient_file(tmp_path / "secret.json"), folder / "Z90001/fhir"
    (sent / "link.json").symlink_to(secret)
    os.mkfifo(sent / "pipe.json")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(sent)  # the address of a socket may not be long
        listening.bind("socket.json")
    before = lying(folder)
    watch = Watch(folder, still_seconds=0)
    said = watch.claim(0)
    assert {each.file for each in said} == {"link.json", "pipe.json", "socket.json"}
    assert all("Put the file itself here" in each.words for each in said)
    assert (watch.claim(1), watch.waiting, lying(folder)) == ([], 0, before) and secret.exists()


@pytest.mark.parametrize("other", ["notes.txt", "ann/notes.txt", "ann/letters/notes.txt", "a link", "a pipe"])
def test_a_folder_of_something_else_is_not_watched(folder: Path, tmp_path: Path, other: str) -> None:
    if other == "a link":
        (folder / other).symlink_to(tmp_path)
    elif other == "a pipe":
        os.mkfifo(folder / other)
    else:
        (folder / other).parent.mkdir(parents=True, exist_ok=True)
        patient_file(folder / other)
    before = lying(folder)
    with pytest.raises(NoInbox, match="RZZ01/fhir"), sole(folder):
        pass
    assert (lying(folder), (folder / CLAIMED).exists()) == (before, False)


def test_a_file_is_left_alone_until_it_has_stopped_growing(folder: Path) -> None:
    watch = Watch(folder, still_seconds=10)
    path = people_file(folder / "999/council/person.csv", 1)
    for name in ("person.csv.part", "person.csv.filepart", "person.csv.TMP", ".person.csv"):
        people_file(folder / "999/council" / name, 1)
    watch.claim(0)
    watch.claim(9)
    people_file(path, 2)  # the clock of its times may be wrong; that it changed is enough
    watch.claim(15)
    assert (path.exists(), watch.waiting) == (True, 1)
    watch.claim(24)
    assert path.exists()
    watch.claim(25)
    assert (path.exists(), watch.waiting) == (False, 0)
    assert lying(folder / CLAIMED / "999") == ["council/person.csv"]
    people_file(path, 3)  # another of the same name waits until the first is taken
    watch.claim(40)
    watch.claim(60)
    assert (path.exists(), watch.waiting) == (True, 1)


def test_names_are_kept_as_far_as_they_can_be_shown(place: Deployment, folder: Path) -> None:
    names = [b"=1+1.json", b"two\nlines.json", b"\xff\xfe.json", "\u202egpj.json".encode(), b"n" * 240 + b".json"]
    for name in names:
        patient_file(folder / "Z90001/fhir" / os.fsdecode(name))
    answer = once(place, folder)
    assert (answer["rows"], answer["failed"], answer["refused"]) == (len(names), [], [])
    shown = {"=1+1.json", "two_lines.json", "__.json", "_gpj.json", "n" * 175 + ".json"}
    assert {path.name for path in (folder / "Z90001/fhir/done").rglob("*.json")} == shown
    assert {each["file"] for each in answer["files"]} == shown  # type: ignore[index,attr-defined]


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", ".", "/", "", "..\\..\\x", "\0"])
def test_no_name_leads_elsewhere(name: str, tmp_path: Path) -> None:
    made = plain(name)
    assert (tmp_path / made).resolve().parent == tmp_path.resolve() and made and not made.startswith(".")


def test_a_link_in_place_of_a_folder_of_ours_is_not_followed(place: Deployment, folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / "Z90001/fhir/done").symlink_to(elsewhere)
    patient_file(folder / "Z90001/fhir/patient.json")
    answer = once(place, folder, code=1)
    assert "tried again" in answer["failed"][0]["error"]  # type: ignore[index]
    assert list(elsewhere.iterdir()) == []
    (folder / "Z90001/fhir/done").unlink()
    assert once(place, folder)["unchanged"] == 1
    assert lying(folder) == ["Z90001/fhir/done/patient.json"]


def test_what_cannot_be_moved_is_said_once_and_holds_up_nothing(folder: Path) -> None:
    watch = Watch(folder, still_seconds=1)
    (folder / CLAIMED).mkdir()
    (folder / CLAIMED / "999").write_text("in the way")
    people_file(folder / "999/council/person.csv", 1)
    patient_file(folder / "Z90001/fhir/patient.json")
    said = [watch.claim(now) for now in (0, 2, 4)]
    assert [len(each) for each in said] == [0, 1, 0]
    assert "Let Joinery write" in said[1][0].words
    assert lying(folder / CLAIMED) == ["999", "Z90001/fhir/patient.json"]


@pytest.fixture
def many(folder: Path) -> Iterator[Path]:
    yield people_file(folder / "999/council/person.csv", MANY)


@pytest.mark.parametrize("rows", [0, 1])
def test_whoever_is_killed_is_carried_on_for(place: Deployment, folder: Path, many: Path, rows: int) -> None:
    process = place.start("watch", folder, "--still", STILL)
    claimed = folder / CLAIMED / "999/council/person.csv"
    until(lambda: claimed.exists() and people(place) >= rows, "the file is being taken")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    answer = once(place, folder)
    assert (people(place), answer["failed"], answer["waiting"]) == (MANY, [], 0)
    assert lying(folder) == ["999/council/done/person.csv"]
    counted = place.sql(
        "SELECT SUM(rows), SUM(taken + unchanged) FROM record_submission WHERE published_at IS NOT NULL"
    )
    assert counted[0][0] == counted[0][1] and counted[0][0] % MANY == 0


def test_what_a_slow_sender_writes_late_is_not_lost(place: Deployment, folder: Path, many: Path) -> None:
    with many.open("a") as sending:
        process = place.start("watch", folder, "--still", STILL)
        claimed = folder / CLAIMED / "999/council/person.csv"
        try:
            until(lambda: claimed.exists() and people(place) > 0, "the file is being taken")
            sending.write("P0,,Okonkwo,Ifeoma,1941-03-03,P0,2026-03-02T09:00:00Z,0\n")
            sending.flush()
            assert claimed.exists()
            until(lambda: not claimed.exists(), "the file is taken")
        finally:
            process.terminate()
            _, said = process.communicate(timeout=60)
    assert people(place) == MANY + 1 and "still being written" in said


def test_one_process_watches_a_folder(deployment: Deployment, folder: Path) -> None:
    with sole(folder):
        done = deployment.run("watch", folder, "--once")
    assert (done.returncode, "Another process takes the files" in done.stderr) == (1, True)
    done = deployment.run("watch", folder / "nowhere", "--once")
    assert (done.returncode, "Make it first" in done.stderr) == (1, True)


def test_joinery_run_takes_what_is_put_into_the_inbox(place: Deployment, folder: Path) -> None:
    place.env["JOINERY_INBOX"] = str(folder)
    with running(place) as (process, _):
        patient_file(folder / "Z90001/fhir/adaobi.json")
        patient_file(folder / "Z404/adaobi.json".replace("Z404", "Z90001"))
        until(lambda: "Z90001/fhir/done/adaobi.json" in lying(folder), "the file is taken")
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert people(place) == 1
    assert '"took a file"' in said and "adaobi" not in said and "Traceback" not in said


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    at = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    for expected in ("person.csv", "person-2.csv", "person-3.csv"):
        found = free_place(tmp_path, ("999", "council", "person.csv"), "done", at)
        assert found == tmp_path / "999/council/done/2026-03-02" / expected
        found.touch()
