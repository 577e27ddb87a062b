"""What goes wrong in a care provider's export: lines that break the rules, come twice, late, or changed in secret.

Mrs Smith's are never touched. Rates are in `definitions/demo/defects.toml`, `lines`.
"""

import random
from typing import Any

from joinery.site.demo.corruptor import NEVER_TOUCHED, Defect
from joinery.site.demo.events import definitions
from joinery.site.demo.writers import Change, Record

LATE_LINES = 2
# What must be filled, by type, and is left out; and the word that is written into a line of the same version.
MUST = {"Need": "category", "Goal": "text", "CarePlan": "title", "Service": "description"}
FREE_TEXT = {"Need": "text", "Risk": "text", "Goal": "text"}
OTHER_WORDS = "Typed over by the night shift"
UNKNOWN_TYPE = "Mood"


def spoil(records: list[Record], rng: random.Random) -> tuple[list[Record], list[Defect]]:
    """A first file with lines that lack what must be filled, of a type that there is not, and lines sent twice."""
    rates, arrived, defects = definitions("defects")["lines"], list(records), list[Defect]()
    whole = set(range(len(arrived)))  # nothing is broken twice
    for breaks, kinds in ((_field_missing, tuple(MUST)), (_unknown_type, ("DailyNote", "Observation", "Goal"))):
        for at in _choose(arrived, kinds, _count(rates["invalid"], records), rng, whole):
            whole.discard(at)
            arrived[at], change = breaks(arrived[at])
            defects.append(Defect(arrived[at].kind, arrived[at].local_id, change))
    again = _choose(arrived, (), _count(rates["repeated"], records), rng, whole)
    for at in sorted(again, reverse=True):
        defects.append(Defect(arrived[at].kind, arrived[at].local_id, Change("repeated", "", "", "")))
        arrived.insert(at, arrived[at])
    return arrived, defects


def next_day(
    today: list[Record], first: list[Record], older: list[Record], rng: random.Random
) -> tuple[list[Record], list[Defect]]:
    """A later file with old versions that come late, and one line changed without a new version.

    `first` is everything as it stood the day before, `older` as it stood some weeks ago.
    """
    now = {(record.kind, record.local_id): record for record in first}
    sent = {(record.kind, record.local_id) for record in today}
    stale = [
        record
        for record in older
        if record.person not in NEVER_TOUCHED
        and (current := now.get((record.kind, record.local_id)))
        and _version(current) > _version(record)
        and (record.kind, record.local_id) not in sent
    ]
    late = rng.sample(stale, min(LATE_LINES, len(stale)))
    defects = [Defect(r.kind, r.local_id, Change("lower_version", "", "", "")) for r in late]
    sent |= {(record.kind, record.local_id) for record in late}
    unsent = [record for record in first if (record.kind, record.local_id) not in sent]
    changed = []
    for at in _choose(unsent, tuple(FREE_TEXT), 1, rng, set(range(len(unsent)))):
        record, field = unsent[at], FREE_TEXT[unsent[at].kind]
        body = _body(record)
        changed.append(_with_body(record, body | {field: OTHER_WORDS}))
        change = Change("same_version_changed", field, body[field], OTHER_WORDS)
        defects.append(Defect(record.kind, record.local_id, change))
    return [*today, *late, *changed], defects


def _count(rate: float, records: list[Record]) -> int:
    return max(1, round(rate * len(records)))


def _choose(
    records: list[Record], kinds: tuple[str, ...], count: int, rng: random.Random, among: set[int]
) -> list[int]:
    """Positions of some lines that may be touched, of any kind if none is named."""
    fit = [
        at
        for at, record in enumerate(records)
        if at in among and record.person not in NEVER_TOUCHED and (not kinds or record.kind in kinds)
    ]
    return rng.sample(fit, min(count, len(fit)))


def _line(record: Record) -> dict[str, Any]:
    assert isinstance(record.body, dict)
    return record.body


def _body(record: Record) -> dict[str, Any]:
    body: dict[str, Any] = _line(record)["body"]
    return body


def _with_body(record: Record, body: dict[str, Any]) -> Record:
    return record._replace(body=_line(record) | {"body": body})


def _version(record: Record) -> int:
    version: int = _line(record)["version"]
    return version


def _field_missing(record: Record) -> tuple[Record, Change]:
    field = MUST[record.kind]
    body = dict(_body(record))
    was = body.pop(field)
    return _with_body(record, body), Change("field_missing", field, was if isinstance(was, str) else was["text"], "")


def _unknown_type(record: Record) -> tuple[Record, Change]:
    return record._replace(body=_line(record) | {"type": UNKNOWN_TYPE}), Change(
        "unknown_type", "type", record.kind, UNKNOWN_TYPE
    )
