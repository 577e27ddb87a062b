"""Fifty years of reorganisation in outline: made-up bodies in the numbers of England's, recalled.

Areas lie in a row, and every generation of bodies cuts the row in its own way: where a cut goes bodies merge,
where one is new they split, and many a body goes to two.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import pytest

from joinery.apps.base.action import Actor
from joinery.apps.base.actions import add_user
from joinery.apps.place import actions, facts
from joinery.calc.boundaries import make_atoms

AREAS = [f"E01{number:06}" for number in range(962)]
ACTOR = Actor.system("tests")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
YEARS = range(1974, 2028)

# From when, the form of the commissioner, and how many there were. All recalled; the least sure are that
# of the district health authorities and those between 211 clinical commissioning groups and 106.
COMMISSIONERS = [
    (date(1974, 4, 1), "aha", 90),
    (date(1982, 4, 1), "dha", 192),
    (date(1996, 4, 1), "ha", 100),
    (date(1999, 4, 1), "pcg", 481),
    (date(2002, 4, 1), "pct", 303),
    (date(2006, 10, 1), "pct", 152),
    (date(2013, 4, 1), "ccg", 211),
    (date(2018, 4, 1), "ccg", 195),
    (date(2020, 4, 1), "ccg", 135),
    (date(2021, 4, 1), "ccg", 106),
]
REGIONS = [
    (date(1974, 4, 1), "rha", 14),
    (date(1996, 4, 1), "regional_office", 8),
    (date(2002, 4, 1), "sha", 28),
    (date(2006, 10, 1), "sha", 10),
    (date(2013, 4, 1), "region", 4),
    (date(2019, 4, 1), "region", 7),
]
PARTNERSHIPS = [
    (date(2016, 4, 1), "stp", 44),
    (date(2018, 10, 1), "stp", 42),
    (date(2026, 4, 1), "icb", 36),
    (date(2027, 4, 1), "icb", 26),
]
BOARDS_FROM = date(2022, 7, 1)


@dataclass
class Body:
    """A body that covers a run of areas, from one day up to another, and what it was part of when."""

    code: str
    form: str
    first: int
    last: int  # not included
    since: date
    until: date | None = None
    parents: list[tuple[str, date]] = field(default_factory=list)

    @property
    def middle(self) -> int:
        return (self.first + self.last) // 2


@dataclass(frozen=True)
class Edge:
    """One succession; `parts` are the codes that tell which part it was, none for the whole."""

    on: date
    old: str
    new: str
    parts: tuple[str, ...] = ()
    words: str = ""


@dataclass
class History:
    """All bodies, in their generations, and all successions."""

    generations: dict[str, list[tuple[date, list[Body]]]] = field(default_factory=lambda: defaultdict(list))
    edges: list[Edge] = field(default_factory=list)

    def bodies(self) -> list[Body]:
        found = [body for tier in self.generations.values() for _, bodies in tier for body in bodies]
        return list({body.code: body for body in found}.values())

    def on(self, tier: str, day: date) -> list[Body]:
        return [bodies for since, bodies in self.generations[tier] if since <= day][-1]


def cuts(chance: random.Random, count: int, old: list[int], allowed: list[int]) -> list[int]:
    """Where a generation cuts the row: most of the old cuts that it can keep, and new ones."""
    kept = sorted(set(old) & set(allowed))
    keep = chance.sample(kept, min(len(kept), count - 1) * 9 // 10)
    return sorted([*keep, *chance.sample(sorted(set(allowed) - set(keep)), count - 1 - len(keep))])


def runs(cut: list[int]) -> Iterator[tuple[int, int]]:
    yield from zip([0, *cut], [*cut, len(AREAS)], strict=True)


def generation(history: History, tier: str, since: date, form: str, cut: list[int], named: list[Body]) -> None:
    """The next generation of a tier. A run that stays goes on as the same body, if its form does.

    Which part of a body went where is told by the bodies in `named`, or else by areas.
    """
    tiers = history.generations[tier]
    old = tiers[-1][1] if tiers else []
    there = {(body.first, body.last): body for body in old if body.form == form or {body.form, form} == {"stp", "icb"}}
    number = sum(len(bodies) for _, bodies in tiers)
    new = [there.get(run) or Body(f"{tier}{number + n:05}", form, *run, since) for n, run in enumerate(runs(cut))]
    for body in old:
        if body in new:
            continue
        body.until = since
        heirs = [each for each in new if each.first < body.last and body.first < each.last]
        for heir in heirs:
            inside = range(max(heir.first, body.first), min(heir.last, body.last))
            parts = [each.code for each in named if each.middle in inside] if named else [AREAS[n] for n in inside]
            if parts or len(heirs) == 1:
                history.edges.append(Edge(since, body.code, heir.code, tuple(parts) if len(heirs) > 1 else ()))
    tiers.append((since, new))


def stand_in(history: History, inner: str, outer: str, day: date) -> None:
    """Say what each body of a tier is part of from a day on. What takes over from that is not said again."""
    for body in history.on(inner, day):
        around = next(each for each in history.on(outer, day) if each.first <= body.middle < each.last)
        if not body.parents or body.parents[-1][0][0] != outer:
            body.parents.append((around.code, day))


@cache
def fifty_years() -> History:
    chance = random.Random(1974)
    history, everywhere = History(), list(range(1, len(AREAS)))
    made: dict[str, list[int]] = {"C": [], "P": [], "R": []}
    # Groups only merged, down to the last ones; partnerships and boards are made of whole groups.
    groups = cuts(chance, COMMISSIONERS[-1][2], [], everywhere)
    plan = [(since, "R", form, count) for since, form, count in REGIONS]
    plan += [(since, "C", form, count) for since, form, count in COMMISSIONERS]
    plan += [(since, "P", form, count) for since, form, count in PARTNERSHIPS]
    for since, tier, form, count in sorted(plan, key=lambda each: (each[0], "RPC".index(each[1]))):
        if tier == "R":
            cut = [len(AREAS) * n // count for n in range(1, count)]
        elif form == "ccg":
            more = made["C"] if since.year > 2013 else everywhere
            cut = sorted([*groups, *chance.sample(sorted(set(more) - set(groups)), count - 1 - len(groups))])
        else:
            merges = since.year in (2018, 2027)
            cut = cuts(chance, count, made[tier], made["P"] if merges else groups if tier == "P" else everywhere)
        made[tier] = cut
        # Bodies that stand in another, and not areas, tell which part of it went where.
        inside = {"P": "C", "R": "P" if history.generations["P"] else "C"}.get(tier, "")
        generation(history, tier, since, form, cut, history.on(inside, since) if history.generations[inside] else [])
        if tier == "C":
            stand_in(history, "C", "P" if history.generations["P"] else "R", since)
        if tier == "P":
            stand_in(history, "P", "R", since)
            stand_in(history, "C", "P", since)
    for body in history.on("C", BOARDS_FROM):
        board = body.parents[-1][0]
        history.edges.append(Edge(BOARDS_FROM, body.code, board, words="commissioning, staff and property"))
    return history


# -- the definition file --------------------------------------------------------------------------


def changed(body: Body, later: str) -> str:
    """The forms of a body that became something else on 1 July 2022 and kept its code, or its one form."""
    if body.form not in ("stp", "ccg") or (body.until and body.until <= BOARDS_FROM):
        return f'form = "{body.form}"\n'
    return (
        f'forms = [{{ form = "{body.form}", from = {body.since}, to = {BOARDS_FROM} }}, '
        f'{{ form = "{later}", from = {BOARDS_FROM} }}]\n'
    )


def entry(body: Body) -> str:
    text = f'[[organisation]]\ncode = "{body.code}"\nname = "Body {body.code}"\nfrom = {body.since}\n'
    text += f"to = {body.until}\n" if body.until else ""
    text += changed(body, "icb" if body.form == "stp" else "sub_icb")
    if body.code.startswith("C"):
        text += f"areas = {AREAS[body.first : body.last]}\n".replace("'", '"')
    said = []
    for number, (code, day) in enumerate(body.parents):
        last = f", to = {body.parents[number + 1][1]}" if number + 1 < len(body.parents) else ""
        said.append(f'{{ code = "{code}", from = {day}{last} }}')
    return text + (f"part_of = [{', '.join(said)}]\n" if said else "")


def succession(edge: Edge) -> str:
    text = f'[[succession]]\non = {edge.on}\nfrom = "{edge.old}"\nto = "{edge.new}"\n'
    text += f'part = "{edge.words or "a part"}"\n' if edge.parts or edge.words else ""
    return text + (f"areas = {list(edge.parts)}\n".replace("'", '"') if edge.parts else "")


def take_all(folder: Path) -> None:
    """Everything through the door: a file of bodies, and a file of what became of them."""
    history = fifty_years()
    edges = sorted(history.edges, key=lambda edge: edge.old)
    for name, text in (("bodies", map(entry, history.bodies())), ("after", map(succession, edges))):
        path = folder / f"{name}.toml"
        path.write_text("\n".join(text), "utf-8")
        taken = actions.take_directory_file(path=path, actor=ACTOR, at=NOW)
        assert taken.quarantined == 0 and taken.taken == taken.rows, taken.reasons


# -- what the directory answers -------------------------------------------------------------------


def commissioner_level(year: int) -> str:
    return "icb" if year >= 2022 else "sub_icb" if year >= 2013 else "earlier"


def wanted(table: list[tuple[date, str, int]], day: date) -> int:
    return [count for since, _, count in table if since <= day][-1]


def still_stands_or_waits(user: int, given: int, day: date) -> None:
    """Every membership is at a body that is there, or in the list of those that wait."""
    posts = facts.standing(user, day).posts
    assert len(posts) == given
    bodies = [facts.organisation(post.organisation, facts.as_at(day)) for post in posts]
    stuck = sorted(body.code for body in bodies if body and not body.is_open(day))
    assert stuck == sorted(waits.body.code for waits in facts.waiting(day))


@pytest.mark.any_database
@pytest.mark.django_db
def test_the_directory_replays_1974_to_2027(tmp_path: Path) -> None:
    take_all(tmp_path)
    days = [date(year, 7, 1) for year in YEARS]
    chance = random.Random(2027)
    user = add_user(email="anna@place.example", name="Anna", password=None, actor=ACTOR, at=NOW)
    first = fifty_years().on("C", days[0])
    for body in chance.sample(first, 20):
        actions.add_membership(
            user_id=user, organisation_code=body.code, role="gp", from_date=date(1974, 5, 1), actor=ACTOR, at=NOW
        )

    # Every area has one commissioner and one region on 1 July of every year, as many as there were.
    by_year: dict[str, dict[str, str]] = {}
    lives: dict[str, list[int]] = defaultdict(list)
    for year, day in zip(YEARS, days, strict=True):
        way = facts.as_at(day)
        commissioners = facts.boundaries(commissioner_level(year), way).bodies
        regions = facts.boundaries("region", way).bodies
        assert sorted(commissioners) == sorted(regions) == AREAS, year
        table = PARTNERSHIPS if year >= 2022 else COMMISSIONERS
        assert len(set(commissioners.values())) == wanted(table, day), year
        assert len(set(regions.values())) == wanted(REGIONS, day), year
        for code in {*commissioners.values(), *regions.values()}:
            lives[code].append(year)
        area = chance.choice(AREAS)
        answer = {each.body.kind.level: each.body for each in facts.responsible(area, way)}
        assert answer[commissioner_level(year)].code == commissioners[area]
        assert answer["region"].code == regions[area]
        assert all(body.is_open(day) for body in answer.values())
        by_year[str(year)] = commissioners

    # What was given in 1974 is not lost.
    for day in days[::6]:
        still_stands_or_waits(user, 20, day)

    # A code is used once: the years of a body follow one another.
    for code, years in lives.items():
        assert years == list(range(years[0], years[-1] + 1)), code

    # From 1974 to 2027, and back.
    now, long_ago = set(by_year["2027"].values()), set(by_year["1974"].values())
    for code in chance.sample(sorted(long_ago), 5):
        assert {edge.to.code for edge in facts.successors(code, facts.as_at(days[-1])) or ()} & now
    for code in sorted(now):
        assert {edge.body.code for edge in facts.predecessors(code, facts.as_at(days[-1])) or ()} & long_ago

    # A yearly series by area keeps its total under the boundaries of any year.
    atoms = make_atoms(by_year)
    assert atoms.count <= len(AREAS)
    for _ in YEARS[::9]:
        series = {area: chance.randrange(100) for area in AREAS}
        by_atom = atoms.gather(series)
        for year in by_year:
            sums = atoms.roll_up(by_atom, year)
            assert sum(sums.values()) == sum(series.values())
            assert set(sums) == set(by_year[year].values())
