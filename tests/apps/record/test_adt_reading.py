"""Reading HL7 v2: what was sent is found again, and nothing that is sent is lost or stops the intake."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import hl7
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joinery.apps.base.tables import UnreadableFile
from joinery.apps.record.actions import Receiver
from joinery.apps.record.adt.er7 import Marks, parse, time_of, unescape
from joinery.apps.record.adt.files import MOST_MESSAGE_BYTES, Frames, Piece, messages_in, read_pieces
from joinery.apps.record.adt.message import row_of
from joinery.apps.record.rows import LONDON
from tests.apps.record import adt_sending as adt
from tests.apps.record.adt_sending import STORY, message, send
from tests.apps.record.sending import bodies

MARKS = Marks("|", "^", "~", "\\", "&")


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (r"Flat 2 \T\ 3", "Flat 2 & 3"),
        (r"a\F\b\S\c\R\d\E\e", "a|b^c~d\\e"),
        (r"\E\T\E\ ", "\\T\\ "),
        (r"C:\dir", r"C:\dir"),
        (r"50\50 split\ ", r"50\50 split\ "),
        (r"caf\XC3A9\ ", "café "),
        (r"caf\XC3\\XA9\ ", "café "),
        (r"\XFF\ \X00\ \Q\ ", r"\XFF\ \X00\ \Q\ "),
        (r"one\.br\two", "one\ntwo"),
    ],
)
def test_known_escapes_are_resolved_and_all_others_left_as_they_are(sent: str, read: str) -> None:
    assert unescape(sent, MARKS) == read


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("20261105143512", "2026-11-05T14:35:12 minute"),
        ("20260705143512", "2026-07-05T13:35:12 minute"),
        ("20260705143512.1234+0000", "2026-07-05T14:35:12 minute"),
        ("202611052400", "2026-11-06T00:00:00 minute"),
        ("20261105", "2026-11-05T00:00:00 day"),
        ("194002", "1940-02-01T00:00:00 month"),
        ("202610250130", "2026-10-25T00:30:00 minute repeats"),
        ("202603290130", "2026-03-29T01:30:00 minute shifted"),
        ("2026-07-05 14:35:12", "2026-07-05T13:35:12 minute"),
        ("2026-07-05T14:35:12.123+01:00", "2026-07-05T13:35:12 minute"),
        ("2026-11-05", "2026-11-05T00:00:00 day"),
    ],
)
def test_a_time_is_read_as_exactly_as_it_was_given(text: str, wanted: str) -> None:
    found = time_of(text, LONDON)
    assert found is not None
    words = [found.at.strftime("%Y-%m-%dT%H:%M:%S"), found.precision]
    assert " ".join(words + ["repeats"] * found.repeats + ["shifted"] * found.shifted) == wanted


@pytest.mark.parametrize(
    "text", ["2026-13-05", "2026-11-05T14", "20261305", "202611052430", "x", "2026110", "00000101"]
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert time_of(text, LONDON) is None


@pytest.mark.parametrize(
    ("bytes_sent", "charset", "name", "flags"),
    [
        ("Zoë".encode(), "UNICODE", "Zoë", ()),
        ("Zoë".encode(), "UNICODE UTF-8", "Zoë", ()),
        ("Zoë".encode("latin-1"), "8859/1", "Zoë", ()),
        ("Zoë".encode(), "", "Zoë", ("character_set_guessed",)),
        ("Zoë—".encode("cp1252"), "", "Zoë—", ("character_set_guessed",)),
        ("Zoë".encode("cp1252"), "UNICODE", "Zoë", ("character_set_guessed",)),
    ],
)
def test_a_name_is_read_in_the_character_set_that_it_was_sent_in(
    bytes_sent: bytes, charset: str, name: str, flags: tuple[str, ...]
) -> None:
    body = STORY[0].replace(b"UNICODE", charset.encode()).replace(b"MARLOWE^EDITH", bytes_sent + b"^EDITH")
    message = parse(body)
    pid = message.first("PID")
    assert pid is not None
    assert (pid.text(5), message.flags) == (name, flags)


def test_null_and_empty_and_absent_are_told_apart() -> None:
    pid = parse(b'MSH|^~\\&|A\rPID|1||""||A^""^C').first("PID")
    assert pid is not None
    assert [pid.text(3), pid.text(4), pid.text(99), pid.text(5, 2), pid.text(5, 4)] == ["", None, None, "", None]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_segments_end_as_any_sender_ends_them(end: bytes) -> None:
    row = row_of(Piece(STORY[1].replace(b"\r", end)), 1)
    assert row.issues == ()
    assert row.message is not None
    assert row.message.visit == "RZZPAS/V900101"


# What Epic, Cerner and Welsh systems send where ITK has `NHS` in component 4, and types of its own.
@pytest.mark.parametrize(
    ("ids", "name", "home", "born"),
    [
        ("40800000^^^MRENTR^MEDREC~9990001014^^^NHS^HN", "^^^^^D", "^L", "19400229"),
        ("843124^^^RAL MRN^MRN~9990001014^^^NHSNBR^NHSNMBR", "^^^MR^^CURRENT", "^HOME", "1940-02-29T00:00:00"),
        ("9990001014^^^^NH~B1000001^^^^PAS", "^^^Mrs.", "", "1940-02-29"),
        ("1736465^^^4265^VN~7010226^^^4265^MR~9990001014^^^NHS^NH", "^^^^^L", "^P", "19400229000000"),
    ],
)
def test_people_are_known_whatever_types_a_sender_gives_to_names_numbers_and_addresses(
    ids: str, name: str, home: str, born: str
) -> None:
    pid = f"PID|1||{ids}||MARLOWE^EDITH{name}||{born}|Female|||1 Example Row^^TOWN^^ZZ99 3AA{home and '^GBR'}{home}"
    row = row_of(Piece(message("A28", 1, "20261105143512", pid=pid + "|" * 19 + "DECEASED")), 1)
    assert row.message is not None
    said = row.message.fact.person
    assert row.local_id in ("MRENTR/40800000", "RAL MRN/843124", "/B1000001", "4265/7010226")
    assert (said["nhs_number"], said["family"], said["born"]) == ("9990001014", "MARLOWE", "1940-02-29")
    assert said["address"] == ["1 Example Row", "TOWN", "ZZ99 3AA"]
    assert (said["gender"], said["dead"]) == ("female", "Y")


def test_other_separators_are_read_from_the_header() -> None:
    table = bytes.maketrans(rb"|^~\&", rb"#$%?@")
    row, usual = (row_of(Piece(body), 1) for body in (STORY[0].translate(table), STORY[0]))
    assert row.message is not None
    assert usual.message is not None
    said, wanted = row.message.fact.person, usual.message.fact.person
    assert (row.local_id, row.message.visit) == (usual.local_id, usual.message.visit)
    assert said | {"address": ""} == wanted | {"address": ""}


def test_on_clean_messages_another_reader_finds_the_same() -> None:
    for body in STORY:
        theirs, ours = hl7.parse(body.decode()), parse(body)
        for segment in theirs:
            name = str(segment[0])
            mine = ours.first(name)
            assert mine is not None
            for number in range(3 if name == "MSH" else 1, len(segment)):
                path = theirs.extract_field(name, 1, number, 1, 1, 1)
                assert (mine.text(number) or "") == path.strip().replace('""', "")


# -- files and frames -------------------------------------------------------------------------------


def framed(*messages: bytes) -> bytes:
    return b"".join(b"\x0b" + each + b"\r\x1c\r" for each in messages)


@pytest.mark.parametrize("size", [1, 7, 1000, 10**6])
def test_frames_are_found_in_chunks_of_any_size(size: int) -> None:
    stream = b"\r\n" + framed(STORY[0], STORY[1]) + b"noise" + b"\x0b" + STORY[2][:40] + framed(STORY[3])
    frames, found = Frames(), []
    for start in range(0, len(stream), size):
        found += frames.feed(stream[start : start + size])
    whole = [piece.body.rstrip(b"\r") for piece in found if not piece.fault]
    assert whole == [STORY[0], STORY[1], STORY[3]]
    assert [p for p in found if p.fault == "torn"] == [Piece(STORY[2][:40], "torn")]
    assert b"".join(p.body for p in found if p.fault == "noise") == b"noise"
    assert frames.close() == []


def test_a_message_of_5_mb_is_taken_and_one_of_more_than_10_is_not() -> None:
    document = b"\rOBX|1|ED|||" + b"x" * (5 * 1024 * 1024)
    (arrived,) = Receiver().feed(framed(STORY[0] + document))
    assert (arrived.refused, len(arrived.keep) > 5 * 1024 * 1024) == (False, True)
    (too_long, *_) = Receiver().feed(framed(STORY[0] + b"\rOBX|" + b"x" * MOST_MESSAGE_BYTES))
    assert (too_long.refused, too_long.keep) == (True, b"")


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (STORY[0].replace(b"|P|2.4", b"|T|2.4"), b"|MSH-11 says that this is a test message. Send P for production.\r"),
        (STORY[0].replace(b"|RZZ0000000101|", b"||"), b"||MSH-10, the control id, is empty. It must be filled.\r"),
        (b"no message", b"||The message does not begin with MSH and its separators, such as MSH.\r"),
    ],
)
def test_whose_message_is_refused_is_told_why(sent: bytes, words: bytes) -> None:
    (arrived,) = Receiver().feed(framed(sent))
    assert arrived.refused
    assert words in arrived.answer("AR", datetime(2026, 11, 5, tzinfo=UTC), 1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"PK\x03\x04zip", "compressed"),
        ("MSH|".encode("utf-16"), "UTF-16"),
        (b"name,date\r\nAnn,2026", "no line begins with MSH"),
    ],
)
def test_a_file_that_is_none_of_ours_is_refused_with_what_to_do(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "file.hl7"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=words):
        list(read_pieces(path))


def test_a_message_that_lies_across_two_reads_of_a_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file.hl7"
    path.write_bytes(b"\r\n".join(STORY * 700))
    assert [piece.body for piece in read_pieces(path)] == list(STORY * 700)


parts = st.sampled_from(
    [*STORY, b"MSH", b"MSH|", b"MSH|^~\\&|", b"FHS|^~\\&", b"BTS|9", b"\x0b", b"\x1c", b"\r", b"\n", b'""', b"PID|",
     b"PV1|1|I|^^^|", b"EVN||2026", b"A40", b"MRG|", b"\xff\xfe", b"\0", b"noise", b"|", b"^", b"~", b"\\X41\\"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(parts | st.binary(max_size=30), max_size=12).map(b"".join))
def test_every_byte_that_is_no_wrapping_is_in_some_piece(content: bytes) -> None:
    left = content
    for piece in messages_in(content):
        assert piece.body in left
        left = left[left.index(piece.body) + len(piece.body) :]
    kept = sum(len(p.body) for p in messages_in(content))
    wrapping = sum(len(line) for line in content.replace(b"\n", b"\r").split(b"\r") if line[:3] in _ENVELOPES)
    blank = sum(content.count(byte) for byte in (b"\r", b"\n", b" ", b"\t"))
    assert kept + wrapping + blank >= len(content)


_ENVELOPES = (b"FHS", b"BHS", b"BTS", b"FTS")


@settings(max_examples=300, deadline=None)
@given(st.lists(parts | st.binary(max_size=30), max_size=12).map(b"".join), st.integers(1, 50))
def test_whatever_comes_over_the_wire_is_answered_or_kept_and_never_fails(content: bytes, size: int) -> None:
    receiver = Receiver()
    at = datetime(2026, 11, 5, tzinfo=UTC)
    arrived = []
    for start in range(0, len(content), size):
        arrived += receiver.feed(content[start : start + size])
    for each in [*arrived, *receiver.close()]:
        if each.answered:
            answer = each.answer("AA", at, 1)
            assert answer.startswith(b"\x0bMSH")
            assert answer.endswith(b"\r\x1c\r")
            assert len(answer.split(b"\r")) == 4
        assert each.refused == (not each.keep)


mutations = st.tuples(st.sampled_from(STORY), st.integers(0, 2000), st.integers(0, 60), st.binary(max_size=8) | parts)


@pytest.mark.django_db
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(mutations, min_size=1, max_size=4))
def test_a_spoiled_message_is_taken_or_kept_in_quarantine(spoiled: list[tuple[bytes, int, int, bytes]]) -> None:
    messages = [body[: at % len(body)] + new + body[at % len(body) + cut :] for body, at, cut, new in spoiled]
    with transaction.atomic(), tempfile.TemporaryDirectory() as folder:
        adt.register()
        content = framed(STORY[0], *messages)
        taken = send(Path(folder), content=content)
        assert taken.rows >= 1
        before = bodies() + bodies("quarantined")
        again = send(Path(folder), content=content)
        assert again.taken == 0
        assert bodies() + bodies("quarantined") == before
        transaction.set_rollback(True)
