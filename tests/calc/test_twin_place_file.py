"""A place file: what is read from it, and for everything that can be wrong, the line and what to do."""

from __future__ import annotations

import math
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from joinery.calc.twin.network import Place, PlaceError, Stay, traffic
from joinery.calc.twin.place_file import accounts, read_place
from joinery.calc.twin.place_file.census import steady_days
from joinery.calc.twin.place_file.keys import PARTS, TABLES
from joinery.calc.twin.place_file.lines import lines_of

GOOD = """\
[place]
name = "Wexcombe"
start_date = 2026-04-01  # a Wednesday
bands = ["under 75", "75+"]
people = [90_000, 10_000]

[arrivals.emergency]
to = "acute"
rate_per_day = [6, 4.0]

[station.acute]
places = 80
stay = {shape = "lognormal", mean_days = [4, 9], cv = 1.1}
setting = "hospital"
cost_pence = 42_000
payer = "nhs"

[station.homecare]
places = [
  {from = 2025-04-01, places = 30},
  {from = 2026-06-01, places = 40},
]
stay = {shape = "lognormal", mean_days = 26, median_days = 20}
setting = "home"
cost_pence = 7_500
payer = "council"
source = "the council's return"

[route.acute.homecare]
p = [0.05, 0.25]

[route.acute]
home = {p = "rest"}
death = {p = [0.01, 0.10]}

[route.homecare.home]
p = 1

[route.home.acute]
p = [0.09, 0.16]
delay = {shape = "exponential", mean_days = 12}

[[census]]
station = "homecare"
band = "75+"
people = 3
days = [1, 2.5, 40]

[[census]]
band = "75+"
station = "acute"
waiting_for = "homecare"
people = 2

[budget]
pooled = true
min = {acute = 70}

[national_trend]
years = 10
stay_per_year = {acute = -0.03}
"""
# What is written instead of a part of GOOD, and what the error says. `# !` marks the line that it names.
WRONG = {
    "no TOML": ("[place]\n", "[place # !\n", "this is no TOML"),
    "no such table": ("[budget]", "[hospital]\nbeds = 3\n[budget]", "[hospital]: there is no such table"),
    "no such key": (
        "p = 1\n",
        "p = 1\nshare = 1  # !\n",
        "[route.homecare.home]: there is no key share. There are source, ",
    ),
    "a missing key": ('[arrivals.emergency]\nto = "acute"', "[arrivals.emergency]  # !", "missing: to"),
    "a word for a number": ("places = 80", 'places = "many"  # !', "[station.acute], places"),
    "half a place": ("places = 80", "places = 80.5  # !", "[station.acute], places"),
    "no place at all": ("places = 80", "places = -1  # !", "[station.acute], places"),
    "too few numbers": (
        "rate_per_day = [6, 4.0]",
        "rate_per_day = [6]  # !",
        "each of the 2 bands is needed; here are 1",
    ),
    "one rate for two bands": ("rate_per_day = [6, 4.0]", "rate_per_day = 10  # !", "a number for each of the 2 bands"),
    "an endless rate": ("[6, 4.0]", "[6, inf]  # !", "inf is not a number to reckon with"),
    "no number": ("[6, 4.0]", "[nan, 4]  # !", "nan is not a number to reckon with"),
    "a rate below nought": ("[6, 4.0]", "[6, -4.0]  # !", "[arrivals.emergency], rate_per_day"),
    "arrivals to nowhere": ('to = "acute"', 'to = "hospital"  # !', "there is no station hospital. There are acute,"),
    "an eighth weekday": ("rate_per_day", "weekday = [1,1,1,1,1,1,1,1]  # !\nrate_per_day", "weekday"),
    "a wave below nought": ("rate_per_day", "season = {swing = 2, peak_day = 15}  # !\nrate_per_day", "season, swing"),
    "two ways to say a stay": ("cv = 1.1", "cv = 1.1, sd_days = 3", "a lognormal stay needs mean_days and cv, or"),
    "no mean": ('"lognormal", mean_days = [4, 9], cv', '"lognormal", cv', "here it has cv"),
    "a median above the mean": ("median_days = 20", "median_days = 30", "its median (30) above 0 and below its mean"),
    "a stay of no time": ("mean_days = [4, 9]", "mean_days = [0, 9]", "above 0 days"),
    "an unknown shape": ('"lognormal", mean_days = 26', '"weibull", mean_days = 26', "stay, shape"),
    "places from too late on": ("2025-04-01", "2026-04-02", "the first not after the start, 2026-04-01"),
    "a station called home": ("[station.homecare]", "[station.home]  # !\n[station.homecare]", "home is no station"),
    "visits that rise": (
        'payer = "nhs"',
        'payer = "nhs"\nvisits = {first = 1, last = 4}  # !',
        "last is at most first",
    ),
    "an unknown payer's key": ('setting = "hospital"', 'setting = "ward"  # !', "[station.acute], setting"),
    "nobody leaves": ("[route.homecare.home]", "[route.acute.acute]\n#", "nobody would ever leave"),
    "less than all": (
        "[route.homecare.home]\np = 1",
        "[route.homecare.home]  # !\np = 0.9",
        "the routes sum to 0.9: it must be 1",
    ),
    "more than all": (
        "death = {p = [0.01, 0.10]}",
        "death = {p = [0.01, 0.80]}  # !",
        "in band 75+ the routes sum to 1.05",
    ),
    "two rests": ("death = {p = [0.01, 0.10]}", 'death = {p = "rest"}  # !', "is the rest already"),
    "a share above 1": ("p = [0.05, 0.25]", "p = [0.05, 25]  # !", "[route.acute.homecare], p"),
    "a route from nowhere": ("[budget]", "[route.ward.home]  # !\np = 1\n[budget]", "there is no station ward"),
    "a route to nowhere": ("[budget]", "[route.acute.ward]  # !\np = 0\n[budget]", "there is no station ward"),
    "a place held for home": ("p = 1\n", "p = 1\nholds_place = true  # !\n", "no place is held"),
    "a delay that is none": (
        "p = 1\n",
        'p = 1\ndelay = {shape = "fixed", mean_days = 1}  # !\n',
        "only a route from home has a delay",
    ),
    "no delay": ('delay = {shape = "exponential", mean_days = 12}', "", "missing: delay ="),
    "a ring": (
        "[route.homecare.home]\np = 1",
        "[route.homecare.home]\np = 0.9\n[route.homecare.acute]\np = 0.1",
        "can all wait for one another",
    ),
    "nobody's band": ('band = "75+"\npeople = 3', 'band = "80+"  # !\npeople = 3', "there is no band 80+"),
    "days of others": ("people = 3", "people = 4", "3 numbers of days for 4 people"),
    "a slip of the keyboard": ("places = 80", "places = 8_000_000_000  # !", "of at most 1,000,000"),
    "a slip in a key": ("cost_pence = 42_000", "cost_pense = 42_000  # !", "no key cost_pense. Is cost_pence meant?"),
    "no such word": ('"hospital"', '"ward"  # !', "'ward' is none of bed, care home, home, hospital"),
    "per cent": ("p = [0.05, 0.25]", "p = [5, 25]  # !", "a share of at most 1 is needed: 5 % is 0.05"),
    "per cent in words": ("p = [0.05, 0.25]", 'p = "5%"  # !', "'5%' is none of"),
    "per cent less": ("{acute = -0.03}", "{acute = -3}  # !", "a share above -1 is needed: 5 % is 0.05"),
    "a date as it is spoken": ("2026-04-01  #", '"1/4/2026"  # !\n#', "a date such as 2026-04-01 is needed"),
    "a date as it is written": ("2026-04-01  #", "1/4/2026  # !\n#", "'start_date = 1/4/2026  # !'. Text stands in"),
    "a comma in a number": ("42_000", "42,000  # !", "a thousand is 1_000"),
    "a key twice": ("places = 80", "places = 80\nplaces = 81  # !", "Cannot overwrite a value: 'places = 81  # !'"),
    "three weekdays": ("rate_per_day", "weekday = [1, 1, 1]  # !\nrate_per_day", "a list of 7 is needed"),
    "a route to no name": ("[route.homecare.home]\np = 1", "[route.homecare]\np = 1  # !", "as [route.FROM.TO]"),
    "arrivals with no name": ("[arrivals.emergency]\nto", "[arrivals]\nto", "as [arrivals.NAME]"),
    "too many visits": ('"nhs"', '"nhs"\nvisits = {first = 300, last = 1}  # !', "of at most 200"),
    "a name that cannot be printed": ('name = "Wexcombe"', 'name = "Wex\\u0001combe"', "cannot stand as a name"),
    "one bracket": ('[[census]]\nstation = "homecare"', '[budgets]\n[[census]]\nstation = "homecare"', "no such table"),
    "waiting without holding": (
        '[[census]]\nband = "75+"\nstation = "acute"\nwaiting_for = "homecare"',
        '[[census]]  # !\nband = "75+"\nstation = "acute"\nwaiting_for = "acute"',
        "acute holds no place for acute, so nobody waits there",
    ),
    "a circle": (
        "[route.homecare.home]\np = 1",
        "[route.homecare.homecare]  # !\nholds_place = false\np = 1",
        "nobody in band under 75 who comes to homecare ever leaves the place",
    ),
    "fewer places than the least": (
        "min = {acute = 70}",
        "min = {acute = 81}",
        "has 80 places, and the budget wants at least 81",
    ),
    "more than may be spent": (
        "pooled = true",
        "pooled = true\npence_per_day = 3_584_900",
        "£1.00 more than the budget",
    ),
    "a budget of nobody's": (
        "pooled = true",
        "pooled = false\npence_per_day = 9e9  # !",
        "give a number for each payer",
    ),
    "a trend of nothing": ("{acute = -0.03}", "{ward = -0.03}  # !", "there is no station ward"),
    "too many people": (
        "people = [90_000, 10_000]",
        "people = [90_000]  # !",
        "each of the 2 bands is needed; here are 1",
    ),
    "a band twice": ('["under 75", "75+"]', '["75+", "75+"]  # !', "a name of its own"),
}


def place_file(folder: Path, text: str = GOOD, name: str = "place.toml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def read(folder: Path, text: str = GOOD) -> Place:
    return read_place(place_file(folder, text)).place


def test_a_place_is_what_its_file_says(tmp_path: Path) -> None:
    file = read_place(place_file(tmp_path))
    place = file.place
    acute, homecare = place.stations
    assert place.names == ("acute", "homecare", "home", "death")
    assert acute.stays == (Stay("lognormal", 4, 1.1), Stay("lognormal", 9, 1.1))
    # exp(mu) is the median of a lognormal, and exp(mu + sigma² / 2) its mean.
    assert math.exp(homecare.stays[0].logs[0]) == pytest.approx(20) and homecare.stays[0].mean_days == 26
    assert homecare.places == ((0, 30), (61, 40))
    assert place.routes[0] == ((0.0, 0.05, pytest.approx(0.94), 0.01), (0.0, 0.25, pytest.approx(0.65), 0.1))
    assert place.routes[2][1] == (0.16, 0.0, 0.84, 0.0)
    assert place.holds == (frozenset({1}), frozenset())
    assert place.home_delays == (Stay("exponential", 12),) * 2
    assert [(held.band, held.station, held.days, held.waiting_for) for held in place.census] == [
        *((1, 1, days, None) for days in (1, 2.5, 40)),
        *((1, 0, 0, 1) for _ in range(2)),
    ]
    assert place.arrivals[0].on(9) == [(6.0, 4.0)] * 9
    assert file.budget and file.budget.pence_per_day == {"": 80 * 42_000 + 30 * 7_500}
    assert file.trend and file.trend.of(place).stations[0].stays[1].mean_days == pytest.approx(9 * 0.97**10)
    assert file.trend.of(place).stations[1].stays == homecare.stays
    assert [each.table for each in accounts(file.path) if each.source] == ["[station.homecare]"]


@pytest.mark.parametrize(("here", "instead", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, here: str, instead: str, words: str) -> None:
    assert here in GOOD
    text = GOOD.replace(here, instead, 1)
    with pytest.raises(PlaceError) as wrong:
        read(tmp_path, text)
    assert words in str(wrong.value) and "place.toml" in str(wrong.value)
    if "# !" in instead:
        line = 1 + [line.endswith("# !") for line in text.splitlines()].index(True)
        assert f"place.toml, line {line}:" in str(wrong.value)


def test_nobody_waits_where_people_are_turned_away(tmp_path: Path) -> None:
    waits = GOOD.replace('station = "acute"\nwaiting_for = "homecare"', 'waiting_for = "acute"')
    assert read(tmp_path, waits).census[-1].waiting_for == 0
    with pytest.raises(PlaceError, match=r"place\.toml, line 50: \[\[census\]\] 2: acute turns away, so nobody waits"):
        read(tmp_path, waits.replace("places = 80", "places = 80\nturns_away = true"))


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("places = 80", "places = -1").replace("p = 1\n", "p = 0.5\n").replace("[6, 4.0]", "[6]")
    with pytest.raises(PlaceError) as wrong:
        read(tmp_path, text)
    assert {line.split(":")[0] for line in str(wrong.value).splitlines()} == {
        f"place.toml, line {number}" for number in (9, 12, 36)
    }


@pytest.mark.parametrize(
    "text", ["", "[place]\n", 'place = "here"', GOOD[: GOOD.index("[arrivals")], "\x00", "[[place]]"]
)
def test_a_file_that_is_hardly_one_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(PlaceError, match=r"place\.toml"):
        read(tmp_path, text)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes("name = 'Bær'".encode("latin-1"))
    for name, words in (("none.toml", "No such file"), ("latin.toml", "not UTF-8")):
        with pytest.raises(PlaceError, match=words):
            read_place(tmp_path / name)


def test_a_changed_place_says_only_what_differs(tmp_path: Path) -> None:
    place_file(tmp_path)
    changed = place_file(
        tmp_path, '[place]\nbased_on = "place.toml"\n[station.homecare]\nplaces = 30\nstay = {mean_days = 24}\n'
        '[station.acute]\nstay = {shape = "exponential", mean_days = 6}\n[[census]]\nband = "75+"\nstation = "acute"\n',
        "changed.toml",
    )  # fmt: skip
    file = read_place(changed)
    base = read_place(tmp_path / "place.toml")
    assert file.base == base and file.place.name == "Wexcombe, changed"
    assert file.place.stations[1].places == ((0, 30),) and file.place.stations[1].cost_pence == 7_500
    assert math.exp(file.place.stations[1].stays[0].logs[0]) == pytest.approx(20)  # the median is still said
    assert file.place.stations[0].stays == (Stay("exponential", 6),) * 2
    assert len(file.place.census) == 1 and file.place.routes == base.place.routes
    assert file.budget == base.budget  # what the places cost before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ('[place]\nbased_on = "place.toml"\n[station.homecare]\nplaces = 31', "place.toml, line 55: [budget]"),
        ('[place]\nbased_on = "place.toml"\n[station.ward]\nplaces = 31', "changed.toml, line 3: [station.ward]"),
        ('[place]\nbased_on = "changed.toml"', "changed.toml, line 2: changed.toml is based on this file"),
        ('[place]\nbased_on = "none.toml"', "none.toml cannot be read"),
    ],
)
def test_what_is_wrong_in_a_change_is_told_where_it_stands(tmp_path: Path, change: str, words: str) -> None:
    place_file(tmp_path)
    with pytest.raises(PlaceError) as wrong:
        read_place(place_file(tmp_path, change, "changed.toml"))
    assert words in str(wrong.value)


def test_arrivals_follow_the_week_the_year_and_their_growth(tmp_path: Path) -> None:
    week = "weekday = [2, 1, 1, 1, 1, 0.5, 0.5]"
    said = f"{week}\nseason = {{swing = 0.2, peak_day = 15}}\ngrowth_per_year = 0.03\nrate_per_day"
    rates = np.array(read(tmp_path, GOOD.replace("rate_per_day", said)).arrivals[0].on(4 * 1461))[:, 0]
    days = [date(2026, 4, 1) + timedelta(day) for day in range(len(rates))]
    grown = rates / 1.03 ** (np.arange(len(rates)) / 365.25)
    assert grown[[day.weekday() == 0 for day in days]].mean() == pytest.approx(6 * 2, rel=0.001)
    wednesdays = [(value, day) for value, day in zip(grown, days, strict=True) if day.weekday() == 2]
    peak, least = max(wednesdays), min(wednesdays)
    assert (
        peak[0] == pytest.approx(6 * 1.2, rel=0.01) and abs((peak[1].replace(year=2000) - date(2000, 1, 15)).days) < 8
    )
    assert least[0] == pytest.approx(6 * 0.8, rel=0.01) and least[1].month == 7


def test_arrivals_follow_a_file_by_date(tmp_path: Path) -> None:
    text = GOOD.replace("rate_per_day", 'season_file = "days.csv"\nrate_per_day')
    rows = ["date,band,multiplier", "2026-03-31,,9", "2026-04-01,,2", "2026-04-02,under 75,3", "2026-04-02,75+,0"]
    (tmp_path / "days.csv").write_text("\n".join(rows))
    assert read(tmp_path, text).arrivals[0].on(4) == [(12.0, 8.0), (18.0, 0.0), (18.0, 0.0), (18.0, 0.0)]
    for wrong, words in (
        (rows[:-1], "days.csv: there is no multiplier for 2026-04-02, 75+"),
        ([*rows, "2026-04-02,,1"], "days.csv, line 6: 2026-04-02 stands there twice"),
        ([*rows, "3 April,,1"], "days.csv, line 6: a date such as"),
        ([*rows, "2026-04-03,,-1"], "days.csv, line 6: a multiplier is"),
        ([*rows, "2026-04-03,80+,1"], "days.csv, line 6: there is no band 80+"),
        (["date,factor"], "days.csv, line 1: there is no column band, multiplier"),
        (rows[:2], "days.csv: there is no day from the start on"),
    ):
        (tmp_path / "days.csv").write_text("\n".join(wrong))
        with pytest.raises(PlaceError) as told:
            read(tmp_path, text)
        assert words in str(told.value)


def test_the_census_may_be_a_file(tmp_path: Path) -> None:
    text = GOOD.replace("people = [", 'census_file = "today.csv"\npeople = [')
    rows = ["band,station,days,waiting_for", "75+,acute,3.5,", "under 75,,1,homecare"]
    (tmp_path / "today.csv").write_text("\n".join(rows))
    assert [(h.band, h.station, h.days, h.waiting_for) for h in read(tmp_path, text).census[-2:]] == [
        (1, 0, 3.5, None), (0, None, 1.0, 1),
    ]  # fmt: skip
    for row, words in (
        ("80+,acute,3,", "today.csv, line 4: there is no band 80+"),
        ("75+,ward,3,", "today.csv, line 4: there is no station ward"),
        ("75+,acute,long,", "today.csv, line 4: long is not a number of days"),
        ("75+,,3,", "today.csv, line 4: a station, or one"),
        ("75+,homecare,3,acute", "today.csv, line 4: homecare holds no place for acute"),
        ("75+,acute,-3,", "today.csv, line 4: the days so far must be from 0 up"),
    ):
        (tmp_path / "today.csv").write_text("\n".join([*rows, row]))
        with pytest.raises(PlaceError) as told:
            read(tmp_path, text)
        assert words in str(told.value)


@pytest.mark.parametrize(
    "stay", [Stay("exponential", 10), Stay("fixed", 10), *(Stay("lognormal", 10, cv) for cv in (0.2, 0.7, 1.1))]
)
def test_a_steady_service_holds_people_for_as_long_as_renewal_theory_says(stay: Stay) -> None:
    spread = {"exponential": 1.0, "fixed": 0.0, "lognormal": stay.cv}[stay.shape]
    days = steady_days(stay, 4_000)
    assert np.mean(days) == pytest.approx(10 / 2 * (1 + spread**2), rel=0.01)
    assert all(stay.survival(each) > 0 for each in days)


def test_every_key_stands_on_the_line_that_is_named() -> None:
    text = GOOD.splitlines()
    for key, line in lines_of(GOOD).items():
        name = str([part for part in key if isinstance(part, str)][-1])
        assert name in text[line - 1], (key, line)


def test_lines_are_found_in_any_toml() -> None:
    text = """\
# [not.a.table]
a.b = 1
list = [ # ]
  "[c]",

  2]
[d . "e.f"] # here
words = '''
[g]
h = 1
'''
table = {i = 1, j = {k = 2}}
[[m]]
[[m.n]]
o = 1
[[m]]
[[m.n]]
[[m.n]]
[m.n.p]
q = "x\\u2028y z"
r = 1
"""
    assert lines_of(text) == {
        ("a",): 2, ("a", "b"): 2, ("list",): 3, ("d", "e.f"): 7, ("d", "e.f", "words"): 8, ("d", "e.f", "table"): 12,
        ("d", "e.f", "table", "i"): 12, ("d", "e.f", "table", "j"): 12, ("d", "e.f", "table", "j", "k"): 12,
        ("m", 0): 13, ("m", 0, "n", 0): 14, ("m", 0, "n", 0, "o"): 15, ("m", 1): 16, ("m", 1, "n", 0): 17,
        ("m", 1, "n", 1): 18, ("m", 1, "n", 1, "p"): 19, ("m", 1, "n", 1, "p", "q"): 20, ("m", 1, "n", 1, "p", "r"): 21,
    }  # fmt: skip


def test_a_budget_by_payer(tmp_path: Path) -> None:
    by_payer = "pooled = false\npence_per_day = {nhs = 3_360_000, council = 224_000}"
    with pytest.raises(PlaceError, match="the places of council cost £2,250.00 a day, £10.00 more"):
        read(tmp_path, GOOD.replace("pooled = true", by_payer))
    assert read(tmp_path, GOOD.replace("pooled = true", by_payer.replace("224", "225")))


def test_every_key_is_explained() -> None:
    for kind in (*TABLES.values(), *PARTS.values()):
        for name, said in kind.__annotations__.items():
            assert "description=" in str(said), (kind.__name__, name)


SCENARIOS = sorted((Path(str(files("joinery.definitions"))) / "scenarios").glob("*.toml"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_that_ships_can_be_run_and_accounts_for_its_figures(path: Path) -> None:
    assert all(row.places for row in traffic(read_place(path).place))
    assert [each.table for each in accounts(path) if not (each.source or each.assumption)] == []
