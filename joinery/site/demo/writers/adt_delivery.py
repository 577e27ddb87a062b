"""A hospital's messages on their way: out of order, twice, in the wrong characters, with a broken head.

Mrs Smith's are never touched. Rates are in `definitions/demo/defects.toml`, `messages`.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from joinery.site.demo import names
from joinery.site.demo.corruptor import NEVER_TOUCHED, Defect
from joinery.site.demo.events import definitions
from joinery.site.demo.writers import EARLIEST, Change, Record, Window
from joinery.site.demo.writers.adt import CANCELS, NULL, STRUCTURES

BROKEN = "broken"  # kind of a record that is no message any more


def spoil(records: list[Record], window: Window, rng: random.Random) -> tuple[list[Record], list[Defect]]:
    """The messages of a window as they arrive, with every defect: those on the way, and those told of.

    In a first submission one message is in Latin-1 without saying so, and one arrives a second time with its
    head destroyed.
    """
    defects = [defect for record in records for defect in _told_of(record)]
    arrived = list(records)
    rates = definitions("defects")["messages"]
    made = [_out_of_order(arrived, max(1, round(rates["out_of_order"] * len(records))), rng)]
    if window.since == EARLIEST:
        made += [_in_latin_1(arrived, rng), _header_broken(arrived, rng)]
    made.append(_sent_twice(arrived, max(1, round(rates["sent_twice"] * len(records))), rng))
    return arrived, defects + [defect for some in made for defect in some]


def _told_of(record: Record) -> Iterator[Defect]:
    """What the message itself gives away: a cancellation, a merge, a deletion, a delay."""
    msh, evn, pid = (_fields(record, name) for name in ("MSH", "EVN", "PID"))
    if record.kind in CANCELS:
        yield Defect(record.kind, record.local_id, Change(CANCELS[record.kind], "", "", ""))
    if record.kind == "A40":
        yield Defect(record.kind, record.local_id, Change("merged", "MRG-1", "", _fields(record, "MRG")[1]))
    if len(pid) > 13 and pid[13] == NULL:
        phone = names.phone(record.person).replace(" ", "")
        yield Defect(record.kind, record.local_id, Change("phone_deleted", "PID-13", phone, NULL))
    # MSH-1 is not between separators, so MSH-7 is the sixth.
    recorded, sent = (datetime.strptime(text, "%Y%m%d%H%M%S") for text in (evn[2], msh[6]))  # noqa: DTZ007 (both local)
    if sent - recorded > timedelta(hours=1, minutes=1):
        yield Defect(record.kind, record.local_id, Change("late", "MSH-7", evn[2], msh[6]))


def _fields(record: Record, name: str) -> list[str]:
    """The fields of the first segment of a name, and none of a segment that is not there."""
    assert isinstance(record.body, str)
    return next((line.split("|") for line in record.body.split("\r") if line.startswith(name)), [])


def _visit_of(record: Record) -> str:
    fields = _fields(record, "PV1")
    return fields[19] if fields else ""


def _choose(records: list[Record], kinds: tuple[str, ...], count: int, rng: random.Random) -> list[Record]:
    """Some messages that may be touched."""
    fit = [record for record in records if record.person not in NEVER_TOUCHED and record.kind in kinds]
    return rng.sample(fit, min(count, len(fit)))


def _out_of_order(arrived: list[Record], count: int, rng: random.Random) -> list[Defect]:
    """Admissions and moves that arrive after the next message of their visit; one update before its admission."""
    following: dict[str, int] = {}
    after: dict[int, int] = {}  # position -> that of the next message of the visit
    for at in range(len(arrived) - 1, -1, -1):
        visit, record = _visit_of(arrived[at]), arrived[at]
        if visit in following and record.kind in ("A01", "A02") and record.person not in NEVER_TOUCHED:
            after[at] = following[visit]
        if visit:
            following[visit] = at
    some = rng.sample(sorted(after), len(after))
    early = [at for at in some if (arrived[at].kind, arrived[after[at]].kind) == ("A01", "A08")][:1]
    chosen = [*early, *(at for at in some if at not in early)][:count]
    moved = [arrived[at] for at in chosen]
    order = {at: after[at] + 0.5 for at in chosen}
    arrived[:] = [arrived[at] for at in sorted(range(len(arrived)), key=lambda at: order.get(at, at))]
    return [Defect(record.kind, record.local_id, Change("out_of_order", "", "", "")) for record in moved]


def _in_latin_1(arrived: list[Record], rng: random.Random) -> list[Defect]:
    """The clerk's name in Latin-1, and no word of it in MSH-18."""
    defects = []
    for record in _choose(arrived, ("A08",), 1, rng):
        assert isinstance(record.body, str)
        text = record.body.replace("U1001^CLERK^WARD", "U1002^LEFÈVRE^ZOË").replace("|GBR|UNICODE|", "|GBR||")
        # The bytes that are no UTF-8 go through text and back unharmed.
        body = text.encode("latin-1").decode("utf-8", "surrogateescape")
        arrived[arrived.index(record)] = record._replace(body=body)
        defects.append(Defect(record.kind, record.local_id, Change("latin_1", "MSH-18", "UNICODE", "")))
    return defects


def _header_broken(arrived: list[Record], rng: random.Random) -> list[Defect]:
    """A message that arrives twice, first without its separators."""
    defects = []
    for record in _choose(arrived, ("A08",), 1, rng):
        assert isinstance(record.body, str)
        broken = record._replace(kind=BROKEN, body=record.body.replace("MSH|^~\\&|", "MSH  ", 1))
        arrived.insert(arrived.index(record), broken)
        defects.append(Defect(BROKEN, record.local_id, Change("header_broken", "MSH-2", "^~\\&", "")))
    return defects


def _sent_twice(arrived: list[Record], count: int, rng: random.Random) -> list[Defect]:
    """Messages that arrive again, byte for byte, some messages later."""
    defects = []
    for record in _choose(arrived, tuple(STRUCTURES), count, rng):
        arrived.insert(arrived.index(record) + rng.randint(1, 9), record)
        defects.append(Defect(record.kind, record.local_id, Change("sent_twice", "", "", "")))
    return defects
