"""Opening a provider's export: JSON Lines, gzipped or not, and the manifest beside it.

An export is read line by line and never held whole; what the manifest says of its lines is compared at
the end, when none of it counts yet.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from joinery.apps.base.tables import Unpacked, UnreadableFile
from joinery.apps.record.mods.definition import definition
from joinery.apps.record.mods.lines import row_of
from joinery.apps.record.rows import Row

PART = "mods"
MOST_LINE_BYTES = 1024 * 1024
_BLANK, _MARK = b" \t\r\n", b"\xef\xbb\xbf"


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """What the sender says of an export. All of it may be left out; what is there is checked."""

    schema: str | None = None
    mode: str | None = None
    provider_ods: str | None = None
    cqc_location_id: str | None = None
    lines: int | None = None
    sha256: str | None = None


@dataclass(slots=True)
class Export:
    """An opened export. `part` is `mods`, and with a manifest its mode: `mods full` or `mods delta`."""

    part: str
    rows: Iterator[Row]


def open_export(path: Path, sender: str = "") -> Export:
    """Open an export that `sender` (its code; empty when not known) has sent.

    Raises UnreadableFile, saying what to do, here or while its rows are read, when the export as a whole
    is not what it should be: another format, damaged, not what its manifest says.
    """
    manifest = _manifest(path)
    _check_manifest(path, manifest, sender)
    return Export(f"{PART} {manifest.mode}" if manifest.mode else PART, _rows(path, manifest))


# -- manifest ---------------------------------------------------------------------------------------


def _manifest(path: Path) -> Manifest:
    """The manifest of a file: its own, or that of its folder; an empty one when there is neither."""
    own = path.with_name(path.name.removesuffix(".gz").removesuffix(".jsonl") + ".manifest.json")
    found = next((each for each in (own, path.with_name("manifest.json")) if each.is_file()), None)
    if found is None:
        return Manifest()
    try:
        if found.stat().st_size > MOST_LINE_BYTES:
            raise msgspec.DecodeError
        return msgspec.json.decode(found.read_bytes().removeprefix(_MARK), type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise UnreadableFile(
            f"{found.name} beside {path.name} cannot be read: it must be one JSON object, with text in schema, mode, "
            "provider_ods, cqc_location_id and sha256, and a number in lines. Mend it, or take the file without it."
        ) from None


def _check_manifest(path: Path, manifest: Manifest, sender: str) -> None:
    said = definition()
    if manifest.schema not in (None, said.schema):
        raise UnreadableFile(f"{path.name}: its manifest names another schema. Ask for an export in {said.schema}.")
    if manifest.mode not in (None, *said.modes):
        raise UnreadableFile(f"{path.name}: the mode in its manifest must be one of: {', '.join(said.modes)}.")
    codes = [code for code in (manifest.provider_ods, manifest.cqc_location_id) if code]
    if sender and codes and sender not in codes:
        raise UnreadableFile(
            f"{path.name}: its manifest says that it comes from {' or '.join(codes)}, and it was given as from "
            f"{sender}. Take it as from that provider, or ask who sent it."
        )
    if manifest.sha256:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != manifest.sha256.lower():
                raise UnreadableFile(
                    f"{path.name} is not the file that its manifest describes: its sha256 differs. Send both again. "
                    "Where a folder holds several exports, name each manifest after its own: "
                    "2026-03-31.manifest.json beside 2026-03-31.jsonl.gz."
                )


# -- lines ------------------------------------------------------------------------------------------


def _rows(path: Path, manifest: Manifest) -> Iterator[Row]:
    count = 0
    for position, line in enumerate(_lines(path), start=1):
        line = line.removeprefix(_MARK) if position == 1 else line
        if body := line.strip(_BLANK):
            if not count:
                _refuse_other_formats(path, body)
            count += 1
            yield row_of(body, position)
    if manifest.lines is not None and manifest.lines != count:
        raise UnreadableFile(
            f"{path.name} has {count} lines, and its manifest says {manifest.lines}. The export was cut short or "
            "changed on its way: send both again."
        )
    if not count and manifest.lines is None:
        raise UnreadableFile(f"{path.name} is empty. Send it again; a day without changes needs a manifest, lines 0.")


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        try:
            yield from _whole_lines(path, Unpacked(path, raw) if packed else raw)
        except (OSError, EOFError, zlib.error) as damage:
            raise UnreadableFile(f"{path.name}: the gzip file is damaged ({damage}). Send it again.") from None


def _whole_lines(path: Path, stream: BinaryIO | Unpacked) -> Iterator[bytes]:
    while line := stream.readline(MOST_LINE_BYTES + 1):
        if len(line) > MOST_LINE_BYTES:
            raise UnreadableFile(
                f"{path.name}: a line is longer than 1 MB. Write one object on each line, and documents by their name."
            )
        yield line


def _refuse_other_formats(path: Path, start: bytes) -> None:
    """Raise UnreadableFile for a file of which not one line could be right."""
    if start[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise UnreadableFile(f"{path.name} is a workbook or a zip. Unpack a zip, and give the .jsonl file in it.")
    if start[:5] == b"%PDF-":
        raise UnreadableFile(f"{path.name} is a PDF. Ask its sender for JSON Lines.")
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or start.count(0) > len(start) // 10:
        raise UnreadableFile(f"{path.name} is not UTF-8 text. Ask its sender to write it as UTF-8.")
    if start[:1] == b"<":
        raise UnreadableFile(f"{path.name} is XML or a web page. Ask its sender for JSON Lines.")
    if start[:1] == b"[" or start == b"{":
        raise UnreadableFile(f"{path.name} is one JSON document. Ask for JSON Lines: one object on each line.")
    if b'"resourceType"' in start:
        raise UnreadableFile(f"{path.name} is FHIR. Take it with the fhir feed, or ask for {definition().schema}.")
