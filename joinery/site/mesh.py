"""The MESH mailbox: each message becomes a file that is on disk before MESH is told to forget it.

A message goes where a watched folder keeps what it has claimed, and is taken from there. Whoever is killed
between storing and acknowledging gets the message again, and taking it twice changes nothing.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from joinery.definitions import FEEDS, parsed
from joinery.site.listener import only_one
from joinery.site.watching import CLAIMED, REFUSED, free_place, make_folder, plain, refuse, sync, write_whole

if TYPE_CHECKING:
    from mesh_client import MeshClient

EVERY_SECONDS = 300.0  # MESH asks for no more than that
TIMEOUT_SECONDS = 60
DOWNLOADING = ".mesh"
CHUNK_BYTES = 1024 * 1024
MOST_BYTES = 4 * 1024**3  # of a message, unpacked: no feed of a place comes near it
SPARE_BYTES = 1024**3  # which a message must leave free: the database may lie on the same disk
CHUNK_RANGE = re.compile(r"\d{1,5}:(\d{1,5})")

_log = logging.getLogger("joinery.mesh")


class Mailbox(msgspec.Struct, frozen=True):
    """How the place's mailbox is reached. It holds secrets: never log or show it."""

    url: str
    name: str
    password: str
    shared_key: bytes
    certificate: tuple[str, str] | None = None
    authorities: str | None = None


class Routes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Feeds by workflow id, and codes of organisations by mailbox."""

    workflows: Mapping[str, str] = {}
    mailboxes: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Collected:
    """What became of one message: `stored`, `unmapped`, a `report`, or `failed` and still with MESH."""

    message: str
    what: str
    words: str = ""


class NotSetUp(Exception):
    """MESH cannot be used; the message says what to do."""


def mailbox_of(environment: Mapping[str, str]) -> Mailbox:
    """The mailbox that the environment describes. Raises NotSetUp, naming what is missing."""

    def said(name: str) -> str:
        value = environment.get(f"JOINERY_MESH_{name}", "")
        if not value:
            raise NotSetUp(f"MESH is not set up: JOINERY_MESH_{name} is missing. See docs/how-to/receive-files.md.")
        return value

    def held(name: str) -> str:
        try:
            return Path(said(name)).read_text("utf-8").strip()
        except (OSError, UnicodeError):
            raise NotSetUp(f"The file that JOINERY_MESH_{name} names cannot be read.") from None

    url = said("URL").rstrip("/")
    if urlsplit(url).scheme != "https" and not _is_here(urlsplit(url).hostname or ""):
        raise NotSetUp("JOINERY_MESH_URL must start with https://")
    certificate = None
    if environment.get("JOINERY_MESH_CERT") or environment.get("JOINERY_MESH_KEY"):
        certificate = (said("CERT"), said("KEY"))
    authorities = environment.get("JOINERY_MESH_CA") or None
    for path in (*(certificate or ()), *([authorities] if authorities else ())):
        if not os.access(path, os.R_OK):
            raise NotSetUp("A file that JOINERY_MESH_CERT, _KEY or _CA names cannot be read.")
    return Mailbox(url, said("MAILBOX"), held("PASSWORD"), held("SHARED_KEY").encode(), certificate, authorities)


def routes(data: Path) -> Routes:
    """The routes that ship, and before them those of the place. Raises NotSetUp when its file is wrong."""
    shipped = files("joinery.definitions").joinpath("mesh.toml").read_text("utf-8")
    own = data / "mesh.toml"
    try:
        first, then = _parsed(shipped), _parsed(own.read_text("utf-8") if own.exists() else "")
    except (OSError, ValueError) as error:
        raise NotSetUp(f"{own} cannot be read: {error}") from None
    return Routes({**first.workflows, **then.workflows}, {**first.mailboxes, **then.mailboxes})


def connect(mailbox: Mailbox) -> MeshClient:
    """A client of the mailbox that MESH has let in; close it. Raises NotSetUp, saying what to look at."""
    try:
        from mesh_client import MeshClient
    except ImportError:
        raise NotSetUp("MESH needs a package that is not installed: pip install 'joinery[mesh]'") from None
    try:
        client = MeshClient(
            mailbox.url, mailbox.name, mailbox.password, shared_key=mailbox.shared_key, cert=mailbox.certificate,
            verify=mailbox.authorities, timeout=TIMEOUT_SECONDS, application_name="joinery",
        )  # fmt: skip
    except OSError:
        raise NotSetUp("The certificate, key or authorities for MESH cannot be used: look at the files.") from None
    try:
        client.handshake()
    except OSError as error:
        client.close()
        raise NotSetUp(_unreachable(mailbox, error)) from None
    return client


def collect(client: MeshClient, folder: Path, known: Routes, at: datetime) -> Iterator[Collected]:
    """Store each message of the mailbox and acknowledge it; one that fails stays with MESH for another time.

    Raises NotSetUp when another process is at it.
    """
    try:
        with only_one(folder / DOWNLOADING):
            for left in (folder / DOWNLOADING).glob("*.part"):
                left.unlink()
            yield from _collect(client, folder, known, at)
    except BlockingIOError:
        raise NotSetUp("Another process empties the mailbox already.") from None


def _collect(client: MeshClient, folder: Path, known: Routes, at: datetime) -> Iterator[Collected]:
    try:
        waiting = list(client.iterate_message_ids())
    except OSError as error:
        yield Collected("", "failed", f"The mailbox cannot be listed ({_status(error)}). It is tried again.")
        return
    for message in waiting:
        try:
            collected = _store(client, message, folder, known, at)
            client.acknowledge_message(message)
        except OSError as error:  # of the network, of MESH, of the disk
            words = f"It stays with MESH ({error.strerror or _status(error)}) and is tried again."
            collected = Collected(plain(message), "failed", words)
        _log.info("a message of MESH", extra={"kept": {"message": collected.message, "what": collected.what}})
        yield collected


def _store(client: MeshClient, message: str, folder: Path, known: Routes, at: datetime) -> Collected:
    """Make a message durable: a claimed file of its feed, a refused one that nobody knows, or a report."""
    response = client.retrieve_message_chunk(message, 1)
    name = plain(message)
    with response:
        headers: Mapping[str, str] = response.headers
        if headers.get("Mex-MessageType", "").upper() == "REPORT":
            words = _report(headers)
            write_whole(free_place(folder, ("mesh", "reports", f"{name}.txt"), REFUSED, at), [f"{words}\n".encode()])
            return Collected(name, "report", words)
        part = folder / DOWNLOADING / f"{name}.part"
        _download(client, message, response, part)
    workflow, sender = headers.get("Mex-WorkflowID", ""), headers.get("Mex-From", "")
    feed, organisation = known.workflows.get(workflow), known.mailboxes.get(sender.upper())
    file_name = plain(headers.get("Mex-FileName", "") or f"{message}.dat")
    if feed and organisation:
        target = make_folder(folder, CLAIMED, plain(organisation), feed, name) / file_name
        part.rename(target)
        sync(target.parent)
        return Collected(name, "stored")
    words = _unmapped(workflow if not feed else "", sender if not organisation else "")
    refuse(part, free_place(folder, ("mesh", plain(workflow), name, file_name), REFUSED, at), words, at)
    return Collected(name, "unmapped", words)


def _download(client: MeshClient, message: str, first: Any, part: Path) -> None:
    """Write all chunks of a message to a file, and see it to the disk. Raises OSError, also where one breaks off."""
    found = CHUNK_RANGE.fullmatch(first.headers.get("Mex-Chunk-Range", "1:1"))
    if not found:
        raise OSError(0, "MESH sent no readable chunk range")
    part.unlink(missing_ok=True)
    size = 0
    with part.open("xb") as file:
        for number in range(1, max(1, int(found[1])) + 1):
            response = first if number == 1 else client.retrieve_message_chunk(message, number)
            with response:
                for data in response.iter_content(CHUNK_BYTES):
                    size += len(data)
                    if size > MOST_BYTES or shutil.disk_usage(part.parent).free < SPARE_BYTES + len(data):
                        part.unlink()
                        raise OSError(0, "it is too large for the disk, or for any feed")
                    file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _parsed(text: str) -> Routes:
    try:
        made = parsed(text, Routes)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ValueError(str(error)) from None
    for workflow, feed in made.workflows.items():
        if feed not in FEEDS:
            raise ValueError(f"{workflow}: there is no feed called {feed}. Feeds: {', '.join(FEEDS)}.")
    return Routes(made.workflows, {name.upper(): code for name, code in made.mailboxes.items()})


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _report(headers: Mapping[str, str]) -> str:
    """What a report of MESH says, in one line."""
    code, said = headers.get("Mex-StatusCode", ""), headers.get("Mex-StatusDescription", "no reason given")
    about = headers.get("Mex-LinkedMsgID", "") or "unknown"
    return " ".join(f"MESH did not deliver the message {about}: {said} ({code}). Send it again another way.".split())


def _unmapped(workflow: str, mailbox: str) -> str:
    """What the definition does not know of a message, and what to do."""
    unknown = [f"the workflow id {plain(workflow)}"] if workflow else []
    unknown += [f"the mailbox {plain(mailbox)}"] if mailbox else []
    return (
        f"Joinery does not know {' and '.join(unknown) or 'a message without workflow id or sender'}. Name it in "
        "mesh.toml in the deployment's folder, for the messages to come, and put this file into SENDER/FEED."
    )


def _unreachable(mailbox: Mailbox, error: OSError) -> str:
    if _status(error) in ("HTTP 401", "HTTP 403"):
        return (
            f"MESH does not let the mailbox in ({_status(error)}). Look at its name, password, shared key and "
            "certificate, and at the clock of this machine."
        )
    host = urlsplit(mailbox.url).hostname
    return f"MESH cannot be reached at {host} ({_status(error)}). Look at the address, the certificate and the network."


def _status(error: OSError) -> str:
    """What happened, without the address that a client's error quotes."""
    response = getattr(error, "response", None)
    return f"HTTP {response.status_code}" if response is not None else type(error).__name__
