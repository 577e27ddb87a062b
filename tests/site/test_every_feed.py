"""What is promised of every feed: no row is lost, the four outcomes add up, nothing sent again changes anything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joinery.apps.base.action import Actor, Refused
from joinery.apps.base.columns import select
from joinery.apps.base.feeds import feed_of
from joinery.apps.base.tables import UnreadableFile
from joinery.definitions import FEEDS
from joinery.site.demo.build import Submission, build

pytestmark = pytest.mark.any_database

AS_OF = date(2026, 11, 20)
ACTOR = Actor.system("test")
RETURNS = ("capacity", "cld", "apc", "ecds")
CSV = ("council", *RETURNS)


@dataclass(frozen=True)
class Sent:
    """The files of a small demonstration place, by feed and in the order in which they came."""

    by_feed: dict[str, list[Submission]]

    def small(self, feed: str) -> bytes:
        """A file of the feed, short enough to be spoilt a hundred times."""
        files = [s.path for s in self.by_feed[feed] if s.path.suffix != ".gz"] or [s.path for s in self.by_feed[feed]]
        content = max((p.read_bytes() for p in files), key=len)
        if files[0].suffix == ".gz":
            import gzip

            content = gzip.decompress(content)
        lines = content.splitlines(keepends=True)
        return b"".join(lines[:12]) if len(lines) > 1 else content[:6000]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    by_feed: dict[str, list[Submission]] = defaultdict(list)
    for submission in build(tmp_path_factory.mktemp("place"), people=40, seed=7, as_of=AS_OF).submissions:
        by_feed[submission.feed].append(submission)
    return Sent(by_feed)


def test_the_demonstration_writes_all_ten(sent: Sent) -> None:
    assert set(sent.by_feed) == set(FEEDS)


@pytest.fixture
def place(db: None) -> Iterator[None]:
    from joinery.site import setup

    setup.take_definitions(demo=True, actor=ACTOR, at=datetime(2026, 11, 1, tzinfo=UTC))
    yield


def take(submission: Submission, at: datetime) -> Any:
    from joinery.site.taking import take as taking

    return taking(path=submission.path, feed=submission.feed, sender=submission.organisation, actor=ACTOR, at=at)


@pytest.mark.django_db
@pytest.mark.parametrize("feed", FEEDS)
def test_outcomes_add_up_and_a_second_time_changes_nothing(feed: str, sent: Sent, place: None) -> None:
    at = datetime(2026, 11, 20, 6, tzinfo=UTC)
    files = sent.by_feed[feed]
    for submission in files:
        taken = take(submission, at)
        assert taken.rows == taken.taken + taken.unchanged + taken.superseded + taken.quarantined, submission.path.name
        assert taken.rows > 0 or feed in ("council", "fhir")
    again = [take(submission, at + timedelta(hours=1)) for submission in files[-1:]]
    for taken in again:
        assert (taken.taken, taken.superseded) == (0, 0), taken
        assert taken.unchanged + taken.quarantined == taken.rows


@pytest.mark.django_db
@pytest.mark.parametrize("feed", RETURNS)
def test_a_return_makes_no_person_and_adds_nothing_to_one(feed: str, sent: Sent, place: None) -> None:
    for submission in sent.by_feed[feed]:
        take(submission, datetime(2026, 11, 20, 6, tzinfo=UTC))
    for table in ("person", "sourcerecord", "details", "entry", "itemversion", "link"):
        assert select(f"SELECT COUNT(*) FROM record_{table}") == [(0,)], table
    assert select("SELECT COUNT(*) FROM record_returnrow")[0][0] > 0


spoilt = st.lists(
    st.tuples(
        st.sampled_from(["cut", "flip", "put", "twice", "drop"]),
        st.floats(0, 0.999),
        st.one_of(
            st.sampled_from(
                [b'"', b",", b"\0", b"\r", b"\n", b"\xff", b"=cmd|", b"{", b"|", b"\x0b", b"\x1c", b"9" * 400]
            ),
            st.binary(min_size=1, max_size=6),
        ),
    ),
    min_size=1,
    max_size=4,
)


def spoil(content: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    """The file as a broken disk, a helpful colleague or an adversary may leave it."""
    for how, where, what in changes:
        at = int(where * len(content))
        lines = content.splitlines(keepends=True) or [b""]
        line = int(where * len(lines))
        if how == "cut":
            content = content[:at]
        elif how == "flip":
            content = content[:at] + what + content[at + len(what) :]
        elif how == "put":
            content = content[:at] + what + content[at:]
        elif how == "twice":
            content = b"".join([*lines[: line + 1], *lines[line:]])
        else:
            content = b"".join([*lines[:line], *lines[line + 1 :]])
    return content


def bare(content: bytes) -> bytes:
    """A file without what stands between rows and cells: blank rows are no rows."""
    return content.removeprefix(b"\xef\xbb\xbf").translate(None, b'\r\n," \t')


@pytest.mark.parametrize("feed", CSV)
@settings(max_examples=150, deadline=None)
@given(changes=spoilt)
def test_of_a_spoilt_table_every_byte_ends_in_a_row_or_it_is_refused(
    feed: str, changes: list[tuple[str, float, bytes]], sent: Sent, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from joinery.apps.record.sheets import open_sheet

    content = spoil(sent.small(feed), changes)
    path = tmp_path_factory.mktemp("spoilt") / f"{feed}.csv"
    path.write_bytes(content)
    try:
        sheet = open_sheet(path, feed_of(feed))
        lines = list(sheet.lines())
    except UnreadableFile as refused:
        assert str(refused).endswith(".")
        return
    header = sheet.table.raw(sheet.header)
    assert bare(header + b"".join(line.body for line in lines)) == bare(content)
    for line in lines:
        assert all(issue.message.endswith(".") and issue.rule for issue in line.issues)


@pytest.mark.parametrize("feed", ["adt", "fhir", "mods"])
@settings(max_examples=150, deadline=None)
@given(changes=spoilt)
def test_of_a_spoilt_file_nothing_is_lost_in_silence(
    feed: str, changes: list[tuple[str, float, bytes]], sent: Sent, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from joinery.apps.record.actions.intake import read_file

    content = spoil(sent.small(feed), changes)
    ending = {"adt": "hl7", "fhir": "ndjson", "mods": "jsonl"}[feed]
    path = tmp_path_factory.mktemp("spoilt") / f"file.{ending}"
    path.write_bytes(content)
    try:
        rows = list(read_file(path, feed).rows)
    except UnreadableFile as refused:
        assert str(refused).endswith(".")
        return
    kept = b"".join(row.body for row in rows)
    if feed == "mods":
        assert bare(kept) == bare(content)
    assert all(issue.message and issue.rule for row in rows for issue in row.issues)


@pytest.mark.django_db
@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"PK\x03\x04" + bytes(500), "workbook|zip|compressed|Unpack|is not"),
        (b"%PDF-1.7 ...", "PDF|lacks|is not|no HL7|JSON|known"),
        (b"\xff\xfe" + "a,b\r\n1,2\r\n".encode("utf-16-le"), "UTF-8|is not|no HL7|JSON"),
    ],
    ids=["nothing", "workbook", "PDF", "UTF-16"],
)
def test_what_is_no_file_of_the_feed_is_refused_and_nothing_kept(
    feed: str, content: bytes, words: str, place: None, tmp_path: Path
) -> None:
    path = tmp_path / ("file" + feed_of(feed).endings[0])
    path.write_bytes(content)
    submission = Submission(
        *[{"feed": feed, "organisation": "999", "path": path, "day": AS_OF}[f] for f in Submission._fields]
    )
    with pytest.raises(Refused, match=words) as refused:
        take(submission, datetime(2026, 11, 20, 6, tzinfo=UTC))
    assert str(refused.value).endswith(".")
    assert select("SELECT COUNT(*) FROM record_submission") == [(0,)]
