"""The MESH mailbox, against NHS England's own stand-in: nothing is acknowledged that is not on disk."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mesh_client import MeshClient

from joinery.site import mesh
from joinery.site.watching import CLAIMED
from tests.conftest import missing
from tests.site.feeds import patient_file
from tests.site.test_serving import until
from tests.support import ROOT, Deployment, free_port

PYTHON = ROOT / ".venv-mesh/bin/python"
PLACE, SURGERY, STRANGER = "X26ABC1", "X26ABC2", "X26ABC3"  # mailboxes of the stand-in
PASSWORD, KEY = "password", "TestKey"
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
ROUTES = mesh.Routes({"JOINERY_FHIR": "fhir"}, {SURGERY: "Z90001"})


@dataclass
class Sandbox:
    """The stand-in, on loopback."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, mailbox: str = PLACE, url: str = "") -> MeshClient:
        return MeshClient(url or self.url, mailbox, PASSWORD, shared_key=KEY.encode(), max_retries=0, timeout=20)

    def send(self, body: bytes, sender: str = SURGERY, **about: Any) -> str:
        """Send a message to the place; returns its id."""
        with self.client(sender) as client:
            return str(client.send_message(PLACE, body, **{"workflow_id": "JOINERY_FHIR"} | about))

    def report(self, **about: str) -> None:
        """Let MESH say that it did not deliver something."""
        self._ask("POST", "/messageexchange/admin/report", {"mailbox_id": PLACE, "workflow_id": "W"} | about)

    def waiting(self) -> int:
        with self.client() as client:
            return len(client.list_messages())

    def empty(self) -> None:
        self._ask("DELETE", "/messageexchange/admin/reset")

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> None:
        head = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), head, method=method)
        with urllib.request.urlopen(request, timeout=20):
            pass


@pytest.fixture(scope="module")
def running_sandbox() -> Iterator[Sandbox]:
    if not PYTHON.exists():
        missing("mesh", "there is no .venv-mesh: run make test, or sh scripts/mesh_sandbox.sh")
    port = free_port()
    env = {"PATH": os.defpath, "SHARED_KEY": KEY, "AUTH_MODE": "full", "STORE_MODE": "memory"}
    command = [PYTHON, "-m", "uvicorn", "mesh_sandbox.api:app", "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers() -> bool:
        assert process.poll() is None, "the stand-in for MESH ended by itself"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        until(answers, "the stand-in for MESH answers")
        yield Sandbox(port)
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    running_sandbox.empty()
    return running_sandbox


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "inbox"
    made.mkdir()
    return made


def collect(sandbox: Sandbox, folder: Path, url: str = "") -> list[mesh.Collected]:
    with sandbox.client(url=url) as client:
        return list(mesh.collect(client, folder, ROUTES, AT))


def claimed(folder: Path) -> dict[str, bytes]:
    below = folder / CLAIMED
    return {str(path.relative_to(below)): path.read_bytes() for path in below.rglob("*") if path.is_file()}


@pytest.fixture
def place(deployment: Deployment, sandbox: Sandbox, tmp_path: Path) -> Deployment:
    """A deployment with a mailbox, that knows who sends from another."""
    added = deployment.run("place", "add", "Z90001", "--name", "Example Surgery", "--form", "gp_practice")
    assert added.returncode == 0, added.stderr
    (deployment.data / "mesh.toml").write_text(f'[mailboxes]\n{SURGERY} = "Z90001"\n')
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    (tmp_path / "shared.key").write_text(KEY)
    deployment.env |= {
        "JOINERY_MESH_URL": sandbox.url,
        "JOINERY_MESH_MAILBOX": PLACE,
        "JOINERY_MESH_PASSWORD": str(tmp_path / "password"),
        "JOINERY_MESH_SHARED_KEY": str(tmp_path / "shared.key"),
    }
    return deployment


def test_what_came_is_taken_and_acknowledged(place: Deployment, sandbox: Sandbox, tmp_path: Path) -> None:
    body = patient_file(tmp_path / "patient.json").read_bytes()
    first, second = (
        sandbox.send(body, filename="patient.json"),
        sandbox.send(body, filename="again.json", compress=True),
    )
    stray = sandbox.send(body, workflow_id="LETTERS", filename="letter.pdf")
    sandbox.report(code="14", description="Message not collected by recipient after 5 days", linked_message_id="M1")
    done = place.run("mesh", "--once", "--json")
    answer = json.loads(done.stdout)
    assert [answer[name] for name in ("stored", "unmapped", "reports", "kept_by_mesh")] == [2, 1, 1, 0]
    assert [answer[name] for name in ("rows", "taken", "unchanged", "refused", "failed")] == [2, 1, 1, [], []]
    assert "did not deliver the message M1: Message not collected" in done.stderr
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert PASSWORD not in done.stdout + done.stderr and KEY not in done.stdout + done.stderr

    inbox = place.data / "inbox/files"
    assert len(list(inbox.glob(f"Z90001/fhir/done/*/{first}/patient.json"))) == 1
    assert len(list(inbox.glob(f"Z90001/fhir/done/*/{second}/again.json"))) == 1
    (why,) = inbox.glob(f"mesh/LETTERS/refused/*/{stray}/letter.pdf.why.txt")
    assert "does not know the workflow id LETTERS. Name it in mesh.toml" in why.read_text()
    assert (why.parent / "letter.pdf").read_bytes() == body
    assert len(list(inbox.glob("mesh/reports/refused/*/*.txt"))) == 1
    assert sandbox.waiting() == 0
    again = place.json("mesh", "--once")
    assert (again["stored"], again["rows"]) == (0, 0)


def test_a_mailbox_that_nobody_named_sends_in_nobodys_name(sandbox: Sandbox, folder: Path) -> None:
    sandbox.send(b"{}", sender=STRANGER, filename="x.json")
    (collected,) = collect(sandbox, folder)
    assert (collected.what, f"the mailbox {STRANGER}" in collected.words) == ("unmapped", True)
    assert claimed(folder) == {}
    assert len(list(folder.glob("mesh/JOINERY_FHIR/refused/2026-03-02/*/x.json"))) == 1


@pytest.mark.parametrize("name", ["../../../../escaped.json", "/etc/escaped.json", "..\\escaped.json", ".."])
def test_no_name_that_came_by_mesh_leads_elsewhere(sandbox: Sandbox, folder: Path, name: str) -> None:
    message = sandbox.send(b"{}", filename=name)
    assert [each.what for each in collect(sandbox, folder)] == ["stored"]
    ((where, body),) = claimed(folder).items()
    assert Path(where).parent == Path("Z90001/fhir", message) and body == b"{}"
    assert [path.name for path in folder.parent.iterdir()] == ["inbox"]


def test_a_message_in_chunks_is_put_together(sandbox: Sandbox, folder: Path) -> None:
    body = os.urandom(300_000)
    with sandbox.client(SURGERY) as client:
        client.send_message(PLACE, body, max_chunk_size=70_000, workflow_id="JOINERY_FHIR", filename="large.json")
    assert [each.what for each in collect(sandbox, folder)] == ["stored"]
    assert list(claimed(folder).values()) == [body]


def test_a_message_that_comes_again_lies_in_its_place(sandbox: Sandbox, folder: Path) -> None:
    sandbox.send(b"{}", filename="x.json")
    with sandbox.client() as client:
        (message,) = client.list_messages()
        for _ in range(2):  # killed before it could acknowledge the first time
            assert mesh._store(client, message, _prepared(folder), ROUTES, AT).what == "stored"
    assert len(claimed(folder)) == 1 and sandbox.waiting() == 1


def _prepared(folder: Path) -> Path:
    (folder / mesh.DOWNLOADING).mkdir(exist_ok=True)
    return folder


def test_what_unpacks_to_more_than_there_is_room_for_stays_with_mesh(
    sandbox: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.send(b"0" * 20_000_000, filename="bomb.json", compress=True)
    sandbox.send(b"{}", filename="small.json")
    monkeypatch.setattr(mesh, "MOST_BYTES", 5_000_000)
    collected = {each.what: each.words for each in collect(sandbox, folder)}
    assert set(collected) == {"failed", "stored"} and "too large" in collected["failed"]
    assert list(claimed(folder).values()) == [b"{}"] and sandbox.waiting() == 1
    assert list((folder / mesh.DOWNLOADING).glob("*.part")) == []
    monkeypatch.setattr(mesh, "MOST_BYTES", 30_000_000)
    monkeypatch.setattr(mesh, "SPARE_BYTES", 1 << 60)  # no disk is so large
    assert [each.what for each in collect(sandbox, folder)] == ["failed"]


def test_a_message_that_breaks_off_is_not_taken_for_a_whole_one(sandbox: Sandbox, folder: Path) -> None:
    sandbox.send(os.urandom(400_000), filename="cut.json")
    with cut_off(sandbox.port, after=200_000) as url:
        collected = collect(sandbox, folder, url)
    assert [each.what for each in collected] == ["failed"] and "stays with MESH" in collected[0].words
    assert claimed(folder) == {} and sandbox.waiting() == 1
    assert [each.what for each in collect(sandbox, folder)] == ["stored"]


class cut_off:  # noqa: N801 (it is used as a context manager)
    """A line to the stand-in that breaks off after so many bytes of an answer; gives its address."""

    def __init__(self, port: int, after: int) -> None:
        self.to, self.after = port, after
        self.server = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> str:
        threading.Thread(target=self._serve, daemon=True).start()
        return f"http://127.0.0.1:{self.server.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self.server.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self.server.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.to))
            threading.Thread(target=_pass, args=(near, far, 1 << 60), daemon=True).start()
            threading.Thread(target=_pass, args=(far, near, self.after), daemon=True).start()


def _pass(source: socket.socket, target: socket.socket, most: int) -> None:
    try:
        while most > 0 and (data := source.recv(min(65536, most))):
            target.sendall(data)
            most -= len(data)
        target.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def test_two_do_not_empty_one_mailbox_at_once(sandbox: Sandbox, folder: Path) -> None:
    sandbox.send(b"{}")
    sandbox.send(b"{}")
    with sandbox.client() as client:
        going_on = mesh.collect(client, folder, ROUTES, AT)
        next(going_on)
        with pytest.raises(mesh.NotSetUp, match="Another process"):
            list(mesh.collect(client, folder, ROUTES, AT))
        assert len(list(going_on)) == 1


def test_what_is_wrong_with_the_mailbox_is_said(place: Deployment, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("another")
    for change, words in (
        ({"JOINERY_MESH_URL": ""}, "JOINERY_MESH_URL is missing"),
        ({"JOINERY_MESH_URL": "http://mesh.example"}, "must start with https://"),
        ({"JOINERY_MESH_URL": f"http://127.0.0.1:{free_port()}"}, "cannot be reached at 127.0.0.1"),
        ({"JOINERY_MESH_PASSWORD": "nowhere"}, "JOINERY_MESH_PASSWORD names cannot be read"),
        ({"JOINERY_MESH_PASSWORD": str(tmp_path / "wrong")}, "does not let the mailbox in"),
        ({"JOINERY_MESH_CERT": "nowhere", "JOINERY_MESH_KEY": "nowhere"}, "_KEY or _CA names cannot be read"),
        ({"JOINERY_MESH_CERT": "nowhere"}, "JOINERY_MESH_KEY is missing"),
    ):
        before = dict(place.env)
        place.env |= change
        done = place.run("mesh", "--once")
        place.env = before
        assert (done.returncode, words in done.stderr) == (1, True), done.stderr
        assert "Traceback" not in done.stderr and "another" not in done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[workflows]\nLETTERS = "telex"', "there is no feed called telex"),
        ("[workflow]", "unknown field"),
        ("mailboxes = 3", "Expected `object`"),
        ("[", "cannot be read"),
    ],
)
def test_a_wrong_definition_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "mesh.toml").write_text(text)
    with pytest.raises(mesh.NotSetUp, match=words):
        mesh.routes(tmp_path)


def test_the_definition_that_ships_names_every_feed_and_a_places_own_goes_before_it(tmp_path: Path) -> None:
    from joinery.definitions import FEEDS

    shipped = mesh.routes(tmp_path)
    assert (set(shipped.workflows.values()), shipped.mailboxes) == (set(FEEDS), {})
    (tmp_path / "mesh.toml").write_text('[workflows]\nJOINERY_FHIR = "mods"\n[mailboxes]\nx26abc2 = "Z90001"\n')
    own = mesh.routes(tmp_path)
    assert (own.workflows["JOINERY_FHIR"], own.workflows["JOINERY_CLD"]) == ("mods", "cld")
    assert own.mailboxes == {SURGERY: "Z90001"}


def test_what_is_packed_inside_a_message_is_left_to_the_reader(sandbox: Sandbox, folder: Path) -> None:
    body = gzip.compress(b"{}")
    sandbox.send(body, filename="x.json.gz", compressed=True)
    assert [each.what for each in collect(sandbox, folder)] == ["stored"]
    assert list(claimed(folder).values()) == [body]
