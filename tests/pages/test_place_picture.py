"""The picture of a body's history holds every name of the text, fits its width, and never breaks."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from joinery.apps.place.facts import EARLIEST, Brief, History, Said, Succession
from joinery.site.place.picture import MOST_DRAWN, NARROW, WIDE, draw, neighbours, rows, spells

KNOWN = datetime(2026, 1, 1, tzinfo=UTC)
names = st.text(st.characters(codec="utf-8", categories=("L", "N", "Zs", "P")), min_size=1, max_size=90).map(
    lambda text: " ".join(text.split()) or "X"
)
days = st.dates(date(1948, 7, 5), date(2040, 1, 1)) | st.just(EARLIEST)


def said(kind: str, value: str, start: date, end: date | None, known_at: datetime | None = KNOWN) -> Said:
    return Said(kind, kind, value, None, start, end, "recalled", {}, "hand", known_at)


@st.composite
def spans(draw_: st.DrawFn, kind: str) -> list[Said]:
    """Names or forms that follow each other."""
    cuts = sorted(draw_(st.lists(days, min_size=1, max_size=5, unique=True)))
    ends: list[date | None] = [*cuts[1:], draw_(st.none() | st.dates(date(2040, 1, 2), date(2050, 1, 1)))]
    value = names if kind == "name" else st.sampled_from(["icb", "stp", "nhs_trust", "care_home"])
    return [said(kind, draw_(value), start, end) for start, end in zip(cuts, ends, strict=True)]


@st.composite
def histories(draw_: st.DrawFn) -> History:
    me = Brief(1, "ME", "Me", "icb")
    edges: dict[bool, list[Succession]] = {True: [], False: []}
    for coming, found in edges.items():
        for n in range(draw_(st.integers(0, MOST_DRAWN + 3))):
            other = Brief(n + 2, f"{'IN' if coming else 'OUT'}{n}", draw_(names), "icb")
            ends = (other, me) if coming else (me, other)
            on = draw_(st.dates(date(1948, 7, 5), date(2040, 1, 1)))
            part = draw_(st.sampled_from(["", "the north of the county"]))
            found.append(Succession(on, *ends, None, part, (), "", "", "recalled", "", "hand"))
    life = [said("open", "", draw_(days), draw_(st.none() | st.dates(date(2040, 1, 2), date(2050, 1, 1))))]
    told = [*draw_(spans("name")), *draw_(spans("form")), *life]
    return History(me, tuple(told), tuple(edges[True]), tuple(edges[False]))


def plain(text: str) -> str:
    """Letters only, so that wrapping does not matter."""
    return re.sub(r"[\s\xa0]", "", text)


@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow])  # on a machine that is busy with other tests
@given(histories(), st.dates(date(1948, 1, 1), date(2060, 1, 1)), st.sampled_from([WIDE, NARROW]))
def test_the_picture_holds_every_name_of_the_text_and_stays_in_its_frame(
    history: History, on: date, width: int
) -> None:
    picture = draw(history, on, width)
    shown = plain("".join(label.text for label in picture.labels))
    before, after = neighbours(history)
    for spell in spells(s for s in history.said if s.kind == "name"):
        assert plain(spell.value) in shown
    for edge in before[:MOST_DRAWN]:
        assert plain(edge.body.name) in shown
    for edge in after[:MOST_DRAWN]:
        assert plain(edge.to.name) in shown
    for edges in (before, after):
        if len(edges) > MOST_DRAWN:
            assert plain(f"and {len(edges) - MOST_DRAWN} more") in shown
    for label in picture.labels:
        assert 0 <= label.x <= width and 0 < label.y <= picture.height
    for shape in picture.shapes:
        for x in re.findall(r"[MHL](-?[\d.]+)", shape.path):
            assert 0 <= float(x) <= width


@given(histories())
def test_the_table_names_everybody_in_the_picture(history: History) -> None:
    table, more = rows(history)
    text = plain(" ".join(f"{row.what} {row.other.name if row.other else ''}" for row in table))
    assert not more
    for name in [*(s.body.name for s in history.before), *(s.to.name for s in history.after)]:
        assert plain(name) in text


def test_of_two_names_at_a_time_the_one_said_last_counts() -> None:
    later = datetime(2026, 2, 1, tzinfo=UTC)
    told = [said("name", "Old", EARLIEST, None), said("name", "New", date(2020, 1, 1), date(2022, 1, 1), later)]
    found = [(s.value, s.from_date, s.to_date) for s in spells(told)]
    assert found == [
        ("Old", EARLIEST, date(2020, 1, 1)),
        ("New", date(2020, 1, 1), date(2022, 1, 1)),
        ("Old", date(2022, 1, 1), None),
    ]


def test_what_a_proposal_says_counts_as_said_last() -> None:
    told = [said("name", "Now", EARLIEST, None), said("name", "Proposed", EARLIEST, None, None)]
    assert [s.value for s in spells(told)] == ["Proposed"]
