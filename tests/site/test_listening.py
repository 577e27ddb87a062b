"""`joinery listen`: what is acknowledged is never lost, and nothing that is sent can stop it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import pytest

from joinery.site.inbox import folder_of
from joinery.site.listener import Inbox, Listener
from tests.apps.record.adt_sending import STORY, W7, message, pv1
from tests.site.test_serving import descendants, until
from tests.support import Deployment, empty_deployment, free_port

pytestmark = pytest.mark.any_database

HOSPITAL = "RZZ"
T = TypeVar("T")


def run(talk: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread of its own: a browser test before may have left a loop running in this one."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, talk).result()


@pytest.fixture
def hospital(deployment: Deployment, tmp_path: Path) -> Deployment:
    """A deployment whose directory holds the hospital."""
    added = deployment.run("place", "add", HOSPITAL, "--name", "Example Hospital", "--form", "health_service")
    assert added.returncode == 0, added.stderr
    return deployment


class Sender:
    """A hospital's interface engine on one connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)

    def send(self, *messages: bytes) -> None:
        self.socket.sendall(b"".join(b"\x0b" + each + b"\r\x1c\r" for each in messages))

    def answers(self, count: int) -> list[tuple[str, str]]:
        """The code and the control id of the next answers."""
        got = b""
        while got.count(b"\x1c\r") < count:
            chunk = self.socket.recv(65536)
            assert chunk, got
            got += chunk
        lines = got.decode().split("\r")
        return [(line.split("|")[1], line.split("|")[2]) for line in lines if line.startswith("MSA")]


@pytest.fixture
def listening(hospital: Deployment) -> Iterator[tuple[Deployment, int, Any]]:
    port = free_port()
    process = hospital.start("listen", "--port", port, "--from", HOSPITAL, "--json")
    until(lambda: _listens(port), "the listener listens")
    yield hospital, port, process
    if process.poll() is None:
        process.kill()
    process.wait()
    process.stdout.close()
    process.stderr.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _held(deployment: Deployment) -> int:
    ((count,),) = deployment.sql(
        "SELECT COUNT(*) FROM record_message m JOIN record_submission s ON s.id = m.submission_id "
        "WHERE s.published_at IS NOT NULL"
    )
    return int(count)


def test_messages_are_acknowledged_in_order_and_taken(listening: tuple[Deployment, int, Any]) -> None:
    deployment, port, process = listening
    with closing((sender := Sender(port)).socket):
        sender.send(*STORY)
        assert sender.answers(5) == [("AA", f"RZZ{n:010}") for n in (101, 127, 188, 240, 243)]
        sender.send(STORY[0])
        assert sender.answers(1) == [("AA", "RZZ0000000101")]
    until(lambda: _held(deployment) == 5, "the messages are in the record")
    process.send_signal(signal.SIGTERM)
    answer, _ = process.communicate(timeout=60)
    assert json.loads(answer) == {"accepted": 6, "refused": 0, "failed": 0, "torn": 0}
    rows = deployment.sql("SELECT SUM(rows), SUM(taken), SUM(unchanged) FROM record_submission")
    assert [tuple(map(int, row)) for row in rows] == [(6, 5, 1)]
    assert not list(folder_of(deployment.data, HOSPITAL).glob("*.hl7"))


def test_what_cannot_be_mended_by_sending_again_is_refused_for_good(listening: tuple[Deployment, int, Any]) -> None:
    deployment, port, _ = listening
    test_message = STORY[0].replace(b"|P|2.4", b"|T|2.4")
    with closing((sender := Sender(port)).socket):
        sender.send(test_message, b"no message", STORY[1])
        assert sender.answers(3) == [("AR", "RZZ0000000101"), ("AR", ""), ("AA", "RZZ0000000127")]
    until(lambda: _held(deployment) == 1, "the good message is in the record")


def test_a_message_that_cannot_be_taken_is_acknowledged_and_kept_in_quarantine(
    listening: tuple[Deployment, int, Any],
) -> None:
    deployment, port, _ = listening
    with closing((sender := Sender(port)).socket):
        sender.send(STORY[0].replace(b"V900101", b""))
        assert sender.answers(1) == [("AA", "RZZ0000000101")]
        sender.socket.sendall(b"\x0b" + STORY[1][:50])
    until(lambda: deployment.sql("SELECT COUNT(*) FROM record_quarantined")[0][0] == 2, "both are in quarantine")


def test_what_was_acknowledged_before_a_kill_is_there_after_the_next_start(
    listening: tuple[Deployment, int, Any],
) -> None:
    deployment, port, process = listening
    many = [message("A01", n, "20261105100000", pv1(W7, visit=f"V{n}")) for n in range(1, 200)]
    with closing((sender := Sender(port)).socket):
        sender.send(*many)
        assert len(sender.answers(len(many))) == len(many)
    below = descendants(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    until(lambda: not any(map(_runs, below)), "nothing that it started outlives it")
    again = deployment.start("listen", "--port", free_port(), "--from", HOSPITAL)
    try:
        until(lambda: _held(deployment) == len(many), "every acknowledged message is in the record")
    finally:
        again.terminate()
        again.communicate(timeout=60)


def test_frames_by_the_byte_two_in_a_packet_torn_and_of_5_mb_are_each_answered(
    listening: tuple[Deployment, int, Any],
) -> None:
    deployment, port, _ = listening
    with closing((sender := Sender(port)).socket):
        sender.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"\x0b" + STORY[0] + b"\r\x1c\r":
            sender.socket.sendall(bytes([byte]))
        assert sender.answers(1) == [("AA", "RZZ0000000101")]
        sender.send(STORY[1], STORY[2])
        assert [control for _, control in sender.answers(2)] == ["RZZ0000000127", "RZZ0000000188"]
        sender.socket.sendall(b"\x0b" + STORY[3][:100])
        sender.send(STORY[3], STORY[4] + b"\rOBX|1|ED|||" + b"x" * (5 * 1024 * 1024))
        assert [code for code, _ in sender.answers(2)] == ["AA", "AA"]
    until(lambda: _held(deployment) == 5, "all five are in the record")
    assert deployment.sql("SELECT COUNT(*) FROM record_quarantined") == [(1,)]


def test_while_the_database_is_locked_messages_are_acknowledged_and_once_it_is_not_taken_once(
    listening: tuple[Deployment, int, Any],
) -> None:
    deployment, port, _ = listening
    until(lambda: deployment.sql("SELECT COUNT(*) FROM record_source") == [(1,)], "the listener is ready")
    with closing(deployment.connect()) as other:
        other.execute("BEGIN IMMEDIATE" if not deployment.database else "BEGIN")
        if deployment.database:
            other.execute("LOCK TABLE record_submission IN EXCLUSIVE MODE")
        with closing((sender := Sender(port)).socket):
            sender.send(STORY[0])
            assert sender.answers(1) == [("AA", "RZZ0000000101")]
            folder = folder_of(deployment.data, HOSPITAL)
            until(lambda: list(folder.glob("*.hl7")), "the message is handed over")
            assert _held(deployment) == 0
        other.execute("ROLLBACK")
    until(lambda: _held(deployment) == 1, "the message is in the record")
    assert deployment.sql("SELECT COUNT(*) FROM record_visit") == [(1,)]


def test_what_was_acknowledged_and_not_taken_survives_backup_and_restore(hospital: Deployment, tmp_path: Path) -> None:
    folder = folder_of(hospital.data, HOSPITAL)
    inbox = Inbox(folder)
    inbox.keep([b"\x0b" + STORY[0] + b"\r\x1c\r"])
    inbox.hand_over()
    inbox.keep([b"\x0b" + STORY[1] + b"\r\x1c\r"])
    assert sorted(path.suffix for path in folder.iterdir()) == [".hl7", ".part"]
    hospital.json("backup", tmp_path / "monday.joinery")
    with empty_deployment(tmp_path / "elsewhere") as other:
        done = other.run("restore", tmp_path / "monday.joinery")
        assert "Messages from RZZ were received and not taken yet" in done.stderr
        assert (other.data / "inbox").stat().st_mode & 0o777 == 0o700
        listener = other.start("listen", "--port", free_port(), "--from", HOSPITAL)
        try:
            until(lambda: _held(other) == 2, "both messages are in the record")
        finally:
            listener.terminate()
            listener.communicate(timeout=60)
    inbox.hand_over()


def test_a_merge_is_taken_back_and_a_wrong_patient_listed_by_command(hospital: Deployment, tmp_path: Path) -> None:
    right = (
        STORY[0]
        .replace(b"H4001001", b"H4001002")
        .replace(b"~9990001014^^^NHS", b"")
        .replace(b"MARLOWE", b"OAK")
        .replace(b"19400229", b"19620719")
    )
    right = right.replace(b"9990001014^^^NHS~", b"").replace(b"RZZ0000000101", b"RZZ9").replace(b"A01", b"A45")
    right = right.replace(b"20261105143512", b"20261106143512")
    merge = message("A40", 300, "20261107090000", "MRG|H1^^^RZZPAS", pid="PID|1||H2^^^RZZPAS||ASH^ANN||19500102|2")
    for name, each in (("wrong", STORY[0]), ("right", right), ("merge", merge)):
        (tmp_path / f"{name}.hl7").write_bytes(each)
        taken = hospital.json("take", "--feed", "adt", "--from", HOSPITAL, tmp_path / f"{name}.hl7")
        assert taken["taken"] == 1, taken
    (wrong,) = hospital.json("wrong-patients")["visits"]
    assert set(wrong) == {"hospital", "wrong_person_id", "person_id", "from_at", "until_at"}
    assert hospital.json("unmerge", "--from", HOSPITAL, "RZZPAS/H1")["unmerged"] == "RZZPAS/H1"
    never = hospital.run("unmerge", "--from", HOSPITAL, "RZZPAS/H2")
    assert (never.returncode, "has merged no number like this one" in never.stderr) == (1, True)


def test_it_listens_to_this_machine_only_unless_told_and_only_once(listening: tuple[Deployment, int, Any]) -> None:
    deployment, _, _ = listening
    beyond = deployment.run("listen", "--host", "0.0.0.0", "--port", free_port(), "--from", HOSPITAL)
    assert (beyond.returncode, "--private-network" in beyond.stderr) == (1, True)
    twice = deployment.run("listen", "--port", free_port(), "--from", HOSPITAL)
    assert (twice.returncode, "Another listener" in twice.stderr) == (1, True)
    unknown = deployment.run("listen", "--port", free_port(), "--from", "NOBODY")
    assert (unknown.returncode, "No organisation has the code" in unknown.stderr) == (1, True)


def test_what_cannot_be_stored_is_to_be_sent_again_and_then_is_taken(tmp_path: Path) -> None:
    async def talk() -> list[bytes]:
        inbox = Inbox(tmp_path / "inbox")
        listener = Listener(inbox)
        server = await asyncio.get_running_loop().create_server(listener.connect, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        answers = []
        for there in (False, True):
            if there:
                inbox.folder.mkdir()
            else:
                shutil.rmtree(inbox.folder)
            writer.write(b"\x0b" + STORY[0] + b"\r\x1c\r")
            answers.append(await reader.readuntil(b"\x1c\r"))
        writer.close()
        server.close()
        listener.stop()
        return answers

    first, second = run(talk())
    assert b"MSA|AE|RZZ0000000101|The message could not be stored just now. Send it again.\r" in first
    assert b"MSA|AA|RZZ0000000101\r" in second
    (kept,) = (tmp_path / "inbox").glob("*.hl7")
    assert kept.read_bytes() == b"\x0b" + STORY[0] + b"\r\x1c\r"


def test_what_was_acknowledged_is_handed_over_as_soon_as_the_disk_lets_it(tmp_path: Path) -> None:
    async def talk() -> None:
        inbox = Inbox(tmp_path / "inbox")
        listener = Listener(inbox)
        server = await asyncio.get_running_loop().create_server(listener.connect, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"\x0b" + STORY[0] + b"\r\x1c\r")
        assert b"MSA|AA|" in await reader.readuntil(b"\x1c\r")
        (part,) = inbox.folder.glob("*.part")
        ready = part.with_suffix(".hl7")
        ready.mkdir()  # its name is taken, so that it cannot be renamed
        async with asyncio.timeout(30):
            while inbox.is_open:
                await asyncio.sleep(0.1)
            assert part.is_file()
            ready.rmdir()
            while not ready.is_file():
                await asyncio.sleep(0.1)
        assert ready.read_bytes() == b"\x0b" + STORY[0] + b"\r\x1c\r"
        writer.close()
        server.close()
        listener.stop()

    run(talk())
