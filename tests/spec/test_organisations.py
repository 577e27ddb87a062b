"""What the shipped definitions of England's organisations promise, read from the files as they stand.

A value without dates of its own lasts as long as its organisation. Periods are half-open.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from joinery.apps.place.kinds import FORMS

FOLDER = Path(__file__).parents[2] / "joinery" / "definitions" / "organisations"
NAMES = ("national", "icbs", "sub-icbs", "councils", "districts", "icb-change-2026")
FILES = {name: tomllib.loads((FOLDER / f"{name}.toml").read_text()) for name in NAMES}
ENTRIES = [entry for file in FILES.values() for entry in file.get("organisation", [])]
BODIES = {entry["code"]: entry for entry in ENTRIES}
SUCCESSION = [edge for file in FILES.values() for edge in file.get("succession", [])]
RELATIONS = ("part_of", "faces")

CERTAINTIES = {"verified", "recalled", "claimed"}
UPPER_TIER = {"county", "unitary", "metropolitan_borough", "london_borough"}
ICB_START, LAST_COUNCILS, ICB_CHANGE = date(2022, 7, 1), date(2023, 4, 1), date(2026, 4, 1)
TODAY = date(2026, 11, 22)
# Recalled, apart from the files, so that one checks the other.
ICBS_2022 = """
QE1 QF7 QGH QH8 QHG QHL QHM QJ2 QJG QJK QJM QK1 QKK QKS QM7 QMF QMJ QMM QNC QNQ QNX QOC QOP QOQ QOX QPM QR1
QRL QRV QSL QT1 QT6 QU9 QUA QUE QUY QVV QWE QWO QWU QXU QYG
"""

Entry = dict[str, Any]
Dated = tuple[Any, date, date]


def during(entry: Entry) -> tuple[date, date]:
    return entry.get("from", date.min), entry.get("to", date.max)


def dated(entry: Entry, one: str, many: str) -> Iterator[Dated]:
    """The values of an attribute with their days: `one` is the key of a single value, `many` of a list."""
    for item in [entry[one]] if one in entry else entry.get(many, []):
        plain = item if isinstance(item, dict) else {one: item}
        yield plain[one], plain.get("from", during(entry)[0]), plain.get("to", during(entry)[1])


def related(entry: Entry, kind: str) -> Iterator[Dated]:
    for item in entry.get(kind, []):
        plain = item if isinstance(item, dict) else {"code": item}
        yield plain["code"], plain.get("from", during(entry)[0]), plain.get("to", during(entry)[1])


def other_codes(entry: Entry, scheme: str) -> Iterator[Dated]:
    found = entry.get("codes", {}).get(scheme, [])
    yield from related({**entry, "found": [found] if isinstance(found, str) else found}, "found")


def on(values: Iterator[Dated], day: date) -> list[Any]:
    return [value for value, start, end in values if start <= day < end]


@cache
def open_on(day: date) -> dict[str, Entry]:
    return {code: entry for code, entry in BODIES.items() if during(entry)[0] <= day < during(entry)[1]}


def of_form(forms: set[str], day: date) -> set[str]:
    return {code for code, entry in open_on(day).items() if set(on(dated(entry, "form", "forms"), day)) & forms}


def dates(node: Any) -> Iterator[date]:
    if isinstance(node, date):
        yield node
    elif isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from dates(child)


DAYS_OF_CHANGE = sorted(set(dates(ENTRIES)) | {edge["on"] for edge in SUCCESSION})


@pytest.mark.parametrize("name", NAMES)
def test_every_file_says_where_it_is_from_and_how_sure_it_is(name: str) -> None:
    file = FILES[name]
    assert set(file) <= {"title", "source", "certainty", "organisation", "succession"}
    assert file["title"] and len(file["source"]) > 40
    entries = [*file.get("organisation", []), *file.get("succession", [])]
    assert {file["certainty"]} | {entry.get("certainty", file["certainty"]) for entry in entries} <= CERTAINTIES


def test_they_are_small() -> None:
    assert sum((FOLDER / f"{name}.toml").stat().st_size for name in NAMES) < 400_000


def test_a_code_is_given_once() -> None:
    assert [code for code, times in Counter(entry["code"] for entry in ENTRIES).items() if times > 1] == []


@pytest.mark.parametrize("scheme", ["gss", "cassr"])
def test_a_code_of_another_scheme_is_never_used_again(scheme: str) -> None:
    owners = Counter(code for entry in ENTRIES for code in {code for code, *_ in other_codes(entry, scheme)})
    assert [code for code, bodies in owners.items() if bodies > 1] == []
    assert not {code for entry in ENTRIES for code, *_ in other_codes(entry, scheme) if code != entry["code"]} & set(
        BODIES
    )


@pytest.mark.parametrize(
    ("forms", "shape"),
    [
        ({"stp", "icb"}, r"Q[A-Z0-9]{2}|[A-Z]\d[A-Z]\d[A-Z]"),
        ({"sub_icb"}, r"\d{2}[A-Z]|[A-Z]\d[A-Z]\d[A-Z]"),
        ({"region"}, r"Y\d{2}"),
        (UPPER_TIER, r"E(06|08|09|10)\d{6}|SNAC-\d{2}"),
        ({"district"}, r"E0[67]\d{6}"),
    ],
)
def test_codes_have_the_shape_of_their_scheme(forms: set[str], shape: str) -> None:
    codes = {code for code, entry in BODIES.items() for form, *_ in dated(entry, "form", "forms") if form in forms}
    assert codes and [code for code in codes if not re.fullmatch(shape, code)] == []


@pytest.mark.parametrize(("one", "many"), [("name", "names"), ("form", "forms")])
def test_a_body_has_one_name_and_one_form_on_every_day_of_its_life(one: str, many: str) -> None:
    for code, entry in BODIES.items():
        values = sorted(dated(entry, one, many), key=lambda value: value[1])
        assert [values[0][1], values[-1][2]] == list(during(entry)), code
        assert all(left[2] == right[1] for left, right in zip(values, values[1:], strict=False)), code
        assert all(value[1] < value[2] for value in values), code


def test_every_form_is_known() -> None:
    assert {form for entry in ENTRIES for form, *_ in dated(entry, "form", "forms")} <= set(FORMS)


def test_relations_hold_only_between_bodies_that_are_open() -> None:
    broken = [
        (code, kind, target, day)
        for day in DAYS_OF_CHANGE
        for code, entry in open_on(day).items()
        for kind in RELATIONS
        for target in on(related(entry, kind), day)
        if target not in open_on(day)
    ]
    assert broken == []


COUNTS: list[tuple[str, set[str], date, int]] = [
    ("ICBs at the start", {"icb"}, ICB_START, 42),
    ("STPs the day before", {"stp"}, ICB_START - timedelta(days=1), 42),
    ("ICBs the day before the change", {"icb"}, ICB_CHANGE - timedelta(days=1), 42),
    ("ICBs after the change", {"icb"}, ICB_CHANGE, 36),
    ("ICBs today", {"icb"}, TODAY, 36),
    ("sub-ICB locations", {"sub_icb"}, ICB_START, 106),
    ("sub-ICB locations after the change", {"sub_icb"}, ICB_CHANGE, 106),
    ("NHS regions", {"region"}, TODAY, 7),
    ("upper-tier councils before", UPPER_TIER, LAST_COUNCILS - timedelta(days=1), 152),
    ("upper-tier councils", UPPER_TIER, LAST_COUNCILS, 153),
    ("upper-tier councils at the ICB change", UPPER_TIER, ICB_CHANGE, 153),
    ("upper-tier councils today", UPPER_TIER, TODAY, 153),
    ("counties with districts", {"county"}, TODAY, 21),
    ("metropolitan boroughs", {"metropolitan_borough"}, TODAY, 36),
    ("London boroughs and the City", {"london_borough"}, TODAY, 33),
    ("districts", {"district"}, TODAY, 164),
]


@pytest.mark.parametrize(("title", "forms", "day", "number"), COUNTS, ids=[row[0] for row in COUNTS])
def test_counts(title: str, forms: set[str], day: date, number: int) -> None:
    assert len(of_form(forms, day)) == number


def test_the_icbs_of_2022_are_those_that_are_recalled() -> None:
    assert of_form({"icb"}, ICB_START) == set(ICBS_2022.split())


def test_every_icb_is_part_of_one_region_and_every_district_of_one_county() -> None:
    for day in (ICB_START, LAST_COUNCILS, ICB_CHANGE, TODAY):
        regions, counties = of_form({"region"}, day), of_form({"county"}, day)
        for icb in of_form({"icb"}, day):
            assert len(set(on(related(BODIES[icb], "part_of"), day)) & regions) == 1, icb
        for district in of_form({"district"}, day):
            assert len(set(on(related(BODIES[district], "part_of"), day)) & counties) == 1, district


def test_one_identity_stp_then_icb_with_dated_roles() -> None:
    devon = BODIES["QJK"]
    eve = ICB_START - timedelta(days=1)
    assert on(dated(devon, "form", "forms"), eve) == ["stp"] and on(dated(devon, "form", "forms"), ICB_START) == ["icb"]
    assert on(dated(devon, "role", "roles"), eve) == ["RO261", "RO262"]
    assert on(dated(devon, "role", "roles"), ICB_START) == ["RO261", "RO318"]


@pytest.mark.parametrize("day", [ICB_START, LAST_COUNCILS, ICB_CHANGE, TODAY])
def test_every_upper_tier_council_faces_an_icb_and_every_icb_a_council(day: date) -> None:
    faced = {code: set(on(related(BODIES[code], "faces"), day)) for code in of_form(UPPER_TIER, day)}
    assert [code for code, icbs in faced.items() if not icbs] == []
    assert set().union(*faced.values()) == of_form({"icb"}, day)


@pytest.mark.parametrize("day", [ICB_START, LAST_COUNCILS, ICB_CHANGE, TODAY])
def test_north_yorkshire_faces_three_icbs(day: date) -> None:
    assert set(on(related(BODIES["E06000065"], "faces"), day)) == {"QOQ", "QE1", "QWO"}


def test_a_council_of_social_care_returns_is_found_by_its_cassr_code() -> None:
    """Lincolnshire's is 503: wiki.discoverydataservice.org, on Client Level Data."""
    assert on(other_codes(BODIES["E10000019"], "cassr"), TODAY) == ["503"]
    without = {code for code in of_form(UPPER_TIER, TODAY) if not on(other_codes(BODIES[code], "cassr"), TODAY)}
    assert without == {f"E060000{number}" for number in (59, 60, 61, 62, 63, 64)}


def test_a_succession_joins_bodies_on_a_day_when_one_ends_and_the_other_is_open() -> None:
    for edge in SUCCESSION:
        assert during(BODIES[edge["from"]])[1] == edge["on"], edge
        assert edge["to"] in open_on(edge["on"]), edge
        assert set(edge.get("areas", [])) <= set(BODIES), edge
        assert edge["instrument"] in {"transfer scheme", "order"}, edge


def test_what_ends_is_succeeded() -> None:
    ended = {code for code, entry in BODIES.items() if "to" in entry}
    assert ended == {edge["from"] for edge in SUCCESSION}


def test_a_divided_body_is_divided_by_part_area_and_whole_share() -> None:
    for code, parts in Counter(edge["from"] for edge in SUCCESSION).items():
        edges = [edge for edge in SUCCESSION if edge["from"] == code]
        shares = [edge["share"] for edge in edges if "share" in edge]
        assert not shares or (len(shares) == parts and sum(shares) == pytest.approx(1)), code
        assert parts == 1 or all("part" in edge for edge in edges), code
        areas = Counter(area for edge in edges for area in edge.get("areas", []))
        assert not [area for area, times in areas.items() if times > 1], code


OF_THE_CHANGE = FILES["icb-change-2026"]["succession"]


def test_the_icb_change_of_2026_ended_twelve_and_began_six() -> None:
    eve = ICB_CHANGE - timedelta(days=1)
    before, after = of_form({"icb"}, eve), of_form({"icb"}, ICB_CHANGE)
    assert (len(before - after), len(after - before)) == (12, 6)
    assert before - after == {edge["from"] for edge in OF_THE_CHANGE}
    assert after - before == {entry["code"] for entry in FILES["icb-change-2026"]["organisation"]}
    assert {edge["to"] for edge in OF_THE_CHANGE} == after - before | {"QRL"}
    assert {edge["on"] for edge in OF_THE_CHANGE} == {ICB_CHANGE}
    assert len({(edge["from"], edge["to"]) for edge in OF_THE_CHANGE}) == len(OF_THE_CHANGE) == 16


def merged() -> set[str]:
    return {code for code, times in Counter(edge["to"] for edge in OF_THE_CHANGE).items() if times > 1}


def split() -> set[str]:
    return {code for code, times in Counter(edge["from"] for edge in OF_THE_CHANGE).items() if times > 1}


def moved_boundary() -> set[str]:
    return {edge["to"] for edge in OF_THE_CHANGE} & set(open_on(ICB_CHANGE - timedelta(days=1)))


def renamed() -> set[str]:
    def name(code: str, day: date) -> list[str]:
        return on(dated(BODIES[code], "name", "names"), day)

    eve = ICB_CHANGE - timedelta(days=1)
    return {code for code in open_on(eve) if code in open_on(ICB_CHANGE) and name(code, eve) != name(code, ICB_CHANGE)}


@pytest.mark.parametrize(
    ("change", "some"),
    [
        (merged, {"Z9B2Z", "S1Y5D", "D7T5G", "T6Y0W", "S9B9J", "S0E4D"}),
        (split, {"QNQ", "QJG", "QM7"}),
        (moved_boundary, {"QRL"}),
        (renamed, {"92A"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_four_kinds_of_change_fell_on_one_day(change: Callable[[], set[str]], some: set[str]) -> None:
    assert change() == some if change is not renamed else some <= change()


def test_hampshire_kept_its_identity_and_got_a_new_boundary_code() -> None:
    hampshire, eve = BODIES["QRL"], ICB_CHANGE - timedelta(days=1)
    assert "to" not in hampshire
    assert on(other_codes(hampshire, "gss"), eve) != on(other_codes(hampshire, "gss"), ICB_CHANGE)
    assert on(dated(hampshire, "name", "names"), eve) == on(dated(hampshire, "name", "names"), ICB_CHANGE)


def test_sub_icb_locations_follow_the_boards_they_are_in() -> None:
    """Each takes the name of its board, before the change and after."""
    for day in (ICB_START, ICB_CHANGE - timedelta(days=1), ICB_CHANGE, TODAY):
        for code in of_form({"sub_icb"}, day):
            (board,) = on(related(BODIES[code], "part_of"), day)
            (name,) = on(dated(BODIES[board], "name", "names"), day)
            expected = f"{name.removesuffix('Integrated Care Board')}ICB - {code}"
            assert on(dated(BODIES[code], "name", "names"), day) == [expected]


def test_no_date_is_invented_for_the_end_of_nhs_england() -> None:
    assert "to" not in BODIES["X24"] and "no date" in BODIES["X24"]["note"]
