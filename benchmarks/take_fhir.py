"""Intake of real FHIR resources: validation, versions, index, timeline and access, on a new SQLite deployment.

Prints the rows and the CPU seconds of the first take, and of the second, which finds nothing new.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks.measure import bundles, cpu_seconds, deployment

_reference = re.compile(rb'("reference":\s*")(urn:uuid:[^"]+)"')


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bundles", type=int, default=85)
    options.add_argument("--ndjson", action="store_true", help="the same resources as one file, a resource a line")
    chosen = options.parse_args()
    with deployment() as folder:
        files = bundles(chosen.bundles)
        if chosen.ndjson:
            files = [write_ndjson(files, folder / "resources.ndjson")]
        print(json.dumps(take_twice(files)))


def take_twice(files: list[Path]) -> dict[str, float]:
    """Take the files, then take them again: `rows`, `first_cpu_s`, `second_cpu_s`."""
    from joinery.apps.base.action import Actor
    from joinery.apps.place.actions import OrganisationDetails, register_organisation
    from joinery.apps.record.actions import take_file
    from joinery.site.commands.take import spare_collector

    actor, at = Actor.system("benchmark"), datetime.now(UTC)
    sender = OrganisationDetails("BENCH", "Sender", "gp_practice")
    register_organisation(details=sender, actor=actor, at=at)
    spare_collector()
    rows, cpu = [], []
    # Bundles share practitioners and organisations, so some rows are unchanged the first time too.
    for outcomes in (("taken", "unchanged"), ("unchanged",)):
        before = cpu_seconds()
        counts = [take_file(path=f, feed="fhir", organisation_code="BENCH", actor=actor, at=at) for f in files]
        cpu.append(cpu_seconds() - before)
        rows.append(sum(each.rows for each in counts))
        if sum(getattr(each, outcome) for each in counts for outcome in outcomes) != rows[-1]:
            raise SystemExit(f"not every row ended as {' or '.join(outcomes)}: {counts}")
    return {"rows": rows[0], "first_cpu_s": cpu[0], "second_cpu_s": cpu[1]}


class Entry(msgspec.Struct):
    fullUrl: str  # noqa: N815 (FHIR's own spelling)
    resource: msgspec.Raw


class Bundle(msgspec.Struct):
    entry: list[Entry]


class Named(msgspec.Struct):
    resourceType: str  # noqa: N815
    id: str


def entries_of(file: Path) -> list[Entry]:
    """The entries of a gzipped Bundle, their resources as the bytes that stand there."""
    return msgspec.json.decode(gzip.decompress(file.read_bytes()), type=Bundle).entry


def write_ndjson(files: list[Path], to: Path) -> Path:
    """The resources of transaction bundles, a line each, with references that hold outside their bundle."""
    with to.open("wb") as out:
        for file in files:
            entries = entries_of(file)
            names = {entry.fullUrl.encode(): _name(entry.resource) for entry in entries}

            def outside(match: re.Match[bytes], names: dict[bytes, bytes] = names) -> bytes:
                return match[1] + names.get(match[2], match[2]) + b'"'

            for entry in entries:
                out.write(_reference.sub(outside, bytes(entry.resource).replace(b"\n", b" ")) + b"\n")
    return to


def _name(resource: msgspec.Raw) -> bytes:
    named = msgspec.json.decode(resource, type=Named)
    return f"{named.resourceType}/{named.id}".encode()


if __name__ == "__main__":
    main()
