"""Taking a FHIR file apart into validated resources, each with exactly the bytes that were received.

A file may be one resource, one Bundle, or NDJSON (a resource or a Bundle a line), gzipped or not; or one
resource or one Bundle in XML. It is told by its content, never by its name.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from joinery.apps.base.tables import Unpacked, UnreadableFile, refuse_other_formats
from joinery.apps.record.fhir.validate import MOST_ISSUES, validate
from joinery.apps.record.fhir.xml import BadXml, read_xml
from joinery.apps.record.rows import Issue

MOST_ID_CHARACTERS = 64  # FHIR R4, the datatype id
# One document, or one line of NDJSON, is parsed whole; longer deliveries are NDJSON.
MOST_DOCUMENT_BYTES = 256 * 1024 * 1024


class _Entry(msgspec.Struct):
    fullUrl: str | None = None  # noqa: N815 (FHIR's own spelling)
    resource: msgspec.Raw = msgspec.Raw()


class _Bundle(msgspec.Struct):
    resourceType: str  # noqa: N815
    entry: list[_Entry]


@dataclass(slots=True)
class Received:
    """One row: a resource's bytes as received, the same parsed, and all that is wrong with it.

    `where` is its place in the file. `full_url` is what its Bundle calls it, `names` the Bundle's table
    from full url to `Type/id`. `resource` is None where the bytes are not one JSON object, nor XML.
    """

    body: bytes
    where: str
    resource: dict[str, Any] | None
    issues: tuple[Issue, ...]
    full_url: str = ""
    names: dict[str, str] = field(default_factory=dict)


_bundle = msgspec.json.Decoder(_Bundle)
_of_entry = re.compile(r"Bundle\.entry\[(\d+)\]")


def read_resources(path: Path) -> Iterator[Received]:
    """Every row of the file in order. Raises UnreadableFile when there is nothing to quarantine row by
    row: an empty file, a damaged gzip, a document or line beyond the limits.
    """
    with path.open("rb") as raw:
        start = raw.read(4096)
        raw.seek(0)
        zipped = start[:2] == b"\x1f\x8b"
        if start.strip() and not zipped and not _is_xml(start):
            refuse_other_formats(path, start, "FHIR R4 in JSON or XML")
        stream = Unpacked(path, raw) if zipped else raw
        try:
            yield from _rows(stream)  # type: ignore[arg-type]
        except (OSError, EOFError, zlib.error) as damage:
            raise UnreadableFile(f"{path.name}: the gzip file is damaged ({damage}). Send it again.") from None


def _rows(stream: BinaryIO) -> Iterator[Received]:
    first = _line(stream)
    while first.strip() in (b"", b"\xef\xbb\xbf"):
        if not first:
            raise UnreadableFile("The file is empty. Send the file again.")
        first = _line(stream)
    first = first.removeprefix(b"\xef\xbb\xbf")
    if _is_xml(first):
        yield from _xml_document(_whole(first, stream))
        return
    second = _line(stream)
    while second and not second.strip():
        second = _line(stream)
    if not second:
        yield from _document(first.strip(), "")
        return
    # A broken first line must not swallow the good lines after it: one whole object on the second line
    # is enough to know NDJSON by. A document spread over lines has no whole object there.
    if _is_whole(first) or (second.lstrip()[:1] == b"{" and _is_whole(second)):
        yield from _lines(stream, first, second)
        return
    yield from _document(_whole(first + second, stream), "")


def _whole(start: bytes, stream: BinaryIO) -> bytes:
    """A document that goes on over lines."""
    body = start + stream.read(MOST_DOCUMENT_BYTES + 1)
    if len(body) > MOST_DOCUMENT_BYTES:
        raise UnreadableFile(
            f"One document may be {MOST_DOCUMENT_BYTES // 1024**2} MB at most. Send NDJSON, a resource a line."
        )
    return body.strip()


def _is_xml(start: bytes) -> bool:
    return start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def _lines(stream: BinaryIO, first: bytes, second: bytes) -> Iterator[Received]:
    yield from _document(first.strip(), "line 1")
    number, line = 2, second
    while line:
        if line.strip():
            yield from _document(line.strip(), f"line {number}")
        line = _line(stream)
        number += 1


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline(MOST_DOCUMENT_BYTES + 1)
    if len(line) > MOST_DOCUMENT_BYTES:
        raise UnreadableFile(
            f"A line may be {MOST_DOCUMENT_BYTES // 1024**2} MB at most. Send one resource a line (NDJSON)."
        )
    return line


def _is_whole(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _xml_document(body: bytes) -> Iterator[Received]:
    try:
        read = read_xml(body)
    except BadXml as bad:
        yield Received(body, "", None, (Issue("", "xml", "", f"This cannot be read as XML: {bad}. Correct it."),))
        return
    yield from _document(read.body, "", body, read.parts)


def _document(
    body: bytes, where: str, received: bytes = b"", received_parts: Sequence[bytes] = ()
) -> Iterator[Received]:
    """Rows of a JSON document; `received` is what is kept of it and of its entries, where that is XML."""
    entries = entries_of(body)
    parts = [bytes(entry.resource) for entry in entries]
    resource, issues = validate(body, parts)
    if not entries or resource is None:
        yield Received(received or body, where, resource, issues)
        return
    # What is wrong with one entry is that entry's; what is wrong with the Bundle is every entry's.
    of_entry: dict[int, list[Issue]] = defaultdict(list)
    of_all: list[Issue] = []
    for issue in issues:
        named = _of_entry.match(issue.path)
        (of_entry[int(named[1])] if named else of_all).append(issue)
    parsed = [entry.get("resource") or {} for entry in resource["entry"]]
    names = {e.fullUrl: _name(e.fullUrl, p) for e, p in zip(entries, parsed, strict=True) if e.fullUrl}
    place = f"{where} " if where else ""
    kept = received_parts or parts
    for position, (entry, part, content) in enumerate(zip(entries, kept, parsed, strict=True)):
        path = f"Bundle.entry[{position}]"
        found = [*of_entry[position], *of_all][:MOST_ISSUES]
        if not part:
            message = "The entry has no resource. Only whole resources are taken; send it with its content."
            found.append(Issue(path, "no-resource", "", message))
        yield Received(part, f"{place}{path}", content, tuple(found), entry.fullUrl or "", names)


def entries_of(body: bytes) -> list[_Entry]:
    """The entries of a Bundle, each resource as the bytes received; empty for anything else."""
    if b'"Bundle"' not in body:
        return []
    try:
        bundle = _bundle.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # one byte may be wrong; validation says so
        return []
    whole = all(bytes(entry.resource)[:1] in (b"", b"{") for entry in bundle.entry)
    return bundle.entry if bundle.resourceType == "Bundle" and whole else []


def _name(full_url: str, resource: dict[str, Any]) -> str:
    """`Type/id` of an entry; a resource without an id goes by the last part of its full url."""
    return f"{resource.get('resourceType', '')}/{short_id(resource.get('id') or last_part(full_url))}"


def short_id(name: str) -> str:
    """An id as it is kept: one that is longer than FHIR allows (an address can be) by its digest."""
    return name if len(name) <= MOST_ID_CHARACTERS else f"digest-{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def last_part(url: str) -> str:
    """What stands after the last slash or colon: the id in an address, or a bare UUID."""
    return url.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
