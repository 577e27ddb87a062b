"""A series goes on through mergers, splits and new names, and nothing is counted twice or lost."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path

import pytest

from joinery.apps.measures.actions import Wanted
from joinery.apps.measures.facts import series_bodies, series_named
from joinery.apps.place import facts as place
from joinery.apps.place.actions import Part, close_body, merge, move, propose, relate, rename, split
from tests.apps.measures.uploading import BY, four, monthly, page, register, trust, upload, values, write

pytestmark = pytest.mark.django_db
DAY = date(2020, 4, 1)


def test_a_merger_adds_up_what_came_month_by_month(tmp_path: Path) -> None:
    register("A", "B")
    upload(monthly(tmp_path / "a.csv", A=[1, 2, 3], B=[10, 20, 30]))
    merge(codes=["A", "B"], into=trust("AB"), on=DAY, **BY)
    upload(write(tmp_path / "b.csv", ("AB", "2020-04", 44), ("A", "2020-04", 1)))
    found = page("AB")
    assert [p.value for p in found.points] == [11, 22, 33, 45]  # a late figure under the old code is not lost
    assert found.points[0].parts == (("A", 1), ("B", 10))
    assert {(j.on, j.code, j.name) for j in found.joinings} == {(DAY, "A", "Trust A"), (DAY, "B", "Trust B")}
    assert (page("A").went_to, page("AB").went_to) == ("AB", "")
    assert list(values("A").values()) == [1, 2, 3, 1]
    # On the day before, nothing had merged yet, and later figures were not there.
    assert values("AB", on=DAY - timedelta(days=1)) == {}
    assert list(values("A", on=DAY - timedelta(days=1)).values()) == [1, 2, 3]
    assert page("A", on=DAY - timedelta(days=1)).went_to == ""


def test_a_merger_that_is_only_proposed_shows_through_its_proposal(tmp_path: Path) -> None:
    register("A", "B")
    upload(monthly(tmp_path / "a.csv", A=[1, 2], B=[10, 20]))
    proposal = propose(title="Merge", **BY)
    merge(codes=["B"], into=trust("A"), on=DAY, edition_id=proposal, **BY)
    assert list(values("A").values()) == [1, 2]
    assert list(values("A", draft=proposal).values()) == [11, 22]


def test_a_new_name_changes_nothing_and_a_chain_is_followed_to_its_end(tmp_path: Path) -> None:
    register("A", "B", "C")
    upload(monthly(tmp_path / "a.csv", A=[1, 1], B=[2, 2], C=[4, 4]))
    rename(code="A", name="Another name", on=DAY, **BY)
    merge(codes=["A", "B"], into=trust("AB"), on=DAY, **BY)
    merge(codes=["AB"], into=trust("C"), on=DAY + timedelta(days=366), **BY)
    assert list(values("C").values()) == [7, 7]
    bodies = series_bodies(series_named("Visits").id, place.as_at(date(2026, 1, 1)))  # type: ignore[union-attr]
    assert [(b.body.code, b.uploaded_as) for b in bodies] == [("C", ("A", "B", "C"))]
    bodies = series_bodies(series_named("Visits").id, place.as_at(DAY))  # type: ignore[union-attr]
    assert [(b.body.code, b.uploaded_as) for b in bodies] == [("AB", ("A", "B")), ("C", ("C",))]


def test_a_month_without_one_of_the_bodies_says_so(tmp_path: Path) -> None:
    register("A", "B")
    upload(monthly(tmp_path / "a.csv", A=[1, 2, 3], B=[10, None, 30]))
    merge(codes=["A", "B"], into=trust("AB"), on=DAY, **BY)
    assert [p.missing for p in page("AB").points] == [(), ("B",), ()]


def test_figures_worked_out_again_for_the_new_body_are_not_added_to_the_old_ones(tmp_path: Path) -> None:
    register("A", "B")
    merge(codes=["A", "B"], into=trust("AB"), on=DAY, **BY)
    upload(monthly(tmp_path / "a.csv", A=[1, 2], B=[10, 20], AB=[None, 23, 34, 45]))
    found = page("AB")
    assert [p.value for p in found.points] == [11, 23, 34, 45]
    assert [len(p.parts) for p in found.points] == [2, 1, 1, 1]
    assert not any(p.missing for p in found.points)


def test_a_part_with_a_stated_share_is_an_estimate_apart_and_one_without_is_not_divided(tmp_path: Path) -> None:
    register("A", "X")
    upload(monthly(tmp_path / "a.csv", A=[100, 200, 300], X=[1, 1, 1]))
    parts = [Part(trust("X"), share=0.25), Part(trust("Y"), words="the south")]
    split(code="A", parts=parts, on=DAY, **BY)
    upload(write(tmp_path / "b.csv", ("Y", "2020-04", 5)))
    assert list(values("X").values()) == [1, 1, 1]
    assert list(values("Y").values()) == [5]
    (apart,) = page("X").apart
    assert (apart.on, apart.code, apart.share, apart.estimate) == (DAY, "A", 0.25, True)
    assert [p.value for p in apart.points] == [25, 50, 75]
    (apart,) = page("Y").apart
    assert (apart.part, apart.share, apart.estimate) == ("the south", None, False)
    assert [p.value for p in apart.points] == [100, 200, 300]
    assert page("A").went_to == ""


def test_a_body_that_gives_away_a_part_keeps_its_series(tmp_path: Path) -> None:
    register("A", "X")
    register("N1", form="neighbourhood")
    relate(code="N1", kind="part_of", target="A", on=date(2019, 1, 1), **BY)
    upload(monthly(tmp_path / "a.csv", A=[5, 6, 7, 8], X=[1, 1, 1, 1]))
    move(code="N1", from_code="A", to_code="X", on=DAY, **BY)
    assert list(values("A").values()) == [5, 6, 7, 8] and list(values("X").values()) == [1, 1, 1, 1]
    (apart,) = page("X").apart
    assert [p.value for p in apart.points] == [5, 6, 7] and not apart.estimate


def test_ratios_add_up_both_parts_and_other_figures_are_left_side_by_side(tmp_path: Path) -> None:
    register("A", "B")
    rows = (("A", "2020-01", 1, 10, 4), ("B", "2020-01", 90, 90, 6), ("B", "2020-02", 1, 2, 7))
    path = write(tmp_path / "a.csv", *rows, header="org,month,seen,all,median")
    upload(path, Wanted("Seen", numerator="seen", denominator="all"))
    upload(path, Wanted("Median wait", "median"), kind="level", unit="days")
    merge(codes=["A", "B"], into=trust("AB"), on=DAY, **BY)
    assert list(values("AB", "Seen").values()) == [0.91, 0.5]
    assert list(values("AB", "Median wait").values()) == [None, 7]
    assert page("AB", "Median wait").points[0].parts == (("A", 4), ("B", 6))


@pytest.mark.parametrize("seed", range(12))
def test_open_bodies_add_up_to_all_that_was_sent_whatever_whole_succession_came(tmp_path: Path, seed: int) -> None:
    """Random mergers, absorptions and renamings, some on one day, some in chains: nothing twice, nothing lost."""
    chance = random.Random(seed)
    living = [f"T{n}" for n in range(8)]
    register(*living)
    lives = {code: (date(2018, 1, 1), date.max) for code in living}
    day, events = date(2018, 1, 1), 0
    while len(living) > 2 and events < 7:
        day += timedelta(days=chance.choice([0, 31, 45, 200]) if events else 31)
        # A body does not end on the day on which it begins.
        there = [code for code in living if lives[code][0] < day]
        gone = chance.sample(there, min(len(there), chance.choice([1, 2, 2, 3])))
        rest = [code for code in living if code not in gone]
        into = chance.choice(rest) if rest and (len(gone) < 2 or chance.random() < 0.4) else f"N{events}"
        merge(codes=gone, into=trust(into), on=day, **BY)
        lives.setdefault(into, (day, date.max))
        lives |= {code: (lives[code][0], day) for code in gone}
        living = [*rest, into] if into not in rest else rest
        events += 1
    months = [date(2018 + n // 12, n % 12 + 1, 1) for n in range(36)]
    sent = [
        (code, month.isoformat(), chance.randrange(1000))
        for code, (start, end) in lives.items()
        for month in months
        if start <= month < end and chance.random() < 0.9
    ]
    assert four(upload(write(tmp_path / "a.csv", *sent)))[3] == 0
    for on in (*(date(y, m, 1) for y in (2018, 2019, 2020) for m in (2, 9)), date(2026, 1, 1)):
        expected: dict[str, float] = {}
        for _, month, value in sent:
            if month <= on.isoformat():
                expected[month] = expected.get(month, 0) + value
        found: dict[str, float] = {}
        stand = [code for code, (start, end) in lives.items() if start <= on < end]
        for point in (point for code in stand for point in page(code, on=on).points):
            assert point.value is not None
            found[point.start.isoformat()] = found.get(point.start.isoformat(), 0) + point.value
        assert found == expected


def test_a_body_that_closed_with_nobody_after_it_keeps_what_it_had(tmp_path: Path) -> None:
    register("A")
    upload(monthly(tmp_path / "a.csv", A=[1, 2]))
    close_body(code="A", on=DAY, **BY)
    assert list(values("A").values()) == [1, 2]
