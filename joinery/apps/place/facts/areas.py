"""Which bodies answer for an area on a day, and the boundaries of a level as a whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from joinery.apps.base.columns import marks, select
from joinery.apps.base.facts import place_facts
from joinery.apps.place.facts.bodies import Brief, briefs, by_codes
from joinery.apps.place.kinds import LEVELS
from joinery.apps.place.lineage import lineage_of
from joinery.apps.place.sql import AsAt, statements
from joinery.calc.boundaries import Atoms, make_atoms
from joinery.calc.succession import Edge, Lineage

# Relations that lead from a body to the one that answers for a wider area. A council may face several
# boards, so what is reached by facing counts only where nothing nests.
NESTS = ("part_of", "in_geography_of")
FACES = "faces"
_MOST_STEPS = 12


@dataclass(frozen=True, slots=True)
class Responsible:
    """A body that answers for an area. `because` leads to it: codes from the nearest body outwards.

    `one_of` marks one of several that might: a council faces them all, and no area tells them apart.
    `passed_from` is the code of a body that has ended, from which this one took over.
    """

    body: Brief
    because: tuple[str, ...]
    faced: bool
    one_of: bool
    passed_from: str = ""


@place_facts
def lsoa_of(postcode: str, as_at: AsAt) -> str | None:
    """The LSOA in which a postcode lies, or lay when it was last in use; None when it is not known."""
    sql = (
        "SELECT p.lsoa FROM place_postcode p JOIN place_edition e ON e.id = p.edition_id "
        f"WHERE p.postcode = %s AND {as_at.sees('e')} ORDER BY e.sequence DESC, p.id DESC LIMIT 1"
    )
    rows = select(sql, ["".join(postcode.upper().split())])
    return rows[0][0] or None if rows else None


@place_facts
def responsible(lsoa: str, as_at: AsAt) -> tuple[Responsible, ...]:
    """The bodies that answer for an LSOA on a day, from the nearest level to the widest."""
    sql = (
        f"SELECT s.organisation_id FROM {statements(as_at)} "
        f"WHERE s.kind = 'area' AND s.value = %s AND {as_at.holds('s')}"
    )
    return _outwards([row[0] for row in select(sql, [lsoa, *as_at.day])], frozenset({lsoa}), as_at)


@place_facts
def outwards(code: str, as_at: AsAt) -> tuple[Responsible, ...]:
    """A body and those that answer for a wider area around it, on a day."""
    return _outwards([b.id for b in by_codes([code], as_at).values()], frozenset(), as_at)


@dataclass(slots=True)
class _Found:
    body: Brief
    because: tuple[str, ...]
    faced: bool
    passed_from: str


@dataclass(slots=True)
class _Climb:
    """One climb from the nearest bodies outwards; what nests comes before what is faced."""

    as_at: AsAt
    about: frozenset[str]
    found: dict[int, _Found] = field(default_factory=dict)
    # The splits that nothing decided, which an area might.
    splits: list[Edge] = field(default_factory=list)

    def step(self, reached: Iterable[tuple[int, tuple[str, ...], bool]]) -> list[_Found]:
        """Take in bodies by id, each with the way to it; those new to the climb, heirs in place of the ended."""
        ways = {body: (because, faced) for body, because, faced in reached}
        known = briefs(ways, self.as_at)
        ended = {b.code for b in known.values() if b.has_ended(self.as_at.on)}
        lineage = lineage_of(ended, self.as_at)[0] if ended else Lineage({}, ())
        new = []
        for body, (because, faced) in ways.items():
            stands, passed_from = known[body], ""
            if stands.code in ended:
                heir = lineage.heir(stands.code, self.as_at.on, self.about | set(because))
                if heir is None:
                    self.splits += [edge for edge in lineage.edges if edge.areas]
                    continue
                passed_from = stands.code
                stands = next(iter(by_codes([heir], self.as_at).values()))
            if stands.is_open(self.as_at.on) and stands.id not in self.found:
                self.found[stands.id] = _Found(stands, because, faced, passed_from)
                new.append(self.found[stands.id])
        return new


def _outwards(start: Collection[int], about: frozenset[str], as_at: AsAt) -> tuple[Responsible, ...]:
    return _by_level(_climb(start, about, as_at).found.values())


def _climb(start: Collection[int], about: frozenset[str], as_at: AsAt) -> _Climb:
    climb = _Climb(as_at, about)
    new = climb.step((body, (), False) for body in start)
    facing: list[tuple[int, tuple[str, ...], bool]] = []
    for _ in range(_MOST_STEPS):
        if not new and not facing:
            break
        here = {each.body.id: each for each in new}
        onward: list[tuple[int, tuple[str, ...], bool]] = []
        for subject, kind, target in _relations(list(here), as_at):
            way = (*here[subject].because, here[subject].body.code)
            (facing if kind == FACES else onward).append((target, way, here[subject].faced or kind == FACES))
        if not onward and facing:
            onward, facing = facing, []
        new = climb.step(onward)
    return climb


def _relations(ids: list[int], as_at: AsAt) -> list[tuple[int, str, int]]:
    kinds = (*NESTS, FACES)
    sql = (
        f"SELECT s.organisation_id, s.kind, s.target_id FROM {statements(as_at)} WHERE {as_at.holds('s')} "
        f"AND s.organisation_id IN ({marks(ids)}) AND s.kind IN ({marks(kinds)})"
    )
    return select(sql, [*as_at.day, *ids, *kinds]) if ids else []


def _by_level(found: Iterable[_Found]) -> tuple[Responsible, ...]:
    """By level; at a level that nesting reached, what is only faced is left out."""
    levels: dict[str, list[_Found]] = defaultdict(list)
    for each in found:
        levels[each.body.kind.level].append(each)
    answer = []
    for level in LEVELS:
        here = [each for each in levels[level] if not each.faced] or levels[level]
        here.sort(key=lambda each: each.body.code)
        several = len(here) > 1 and here[0].faced
        answer += [Responsible(e.body, e.because, e.faced, several, e.passed_from) for e in here]
    return tuple(answer)


@dataclass(frozen=True, slots=True)
class BoundarySet:
    """The boundaries of a level on a day (or through a proposal): the body of each LSOA."""

    name: str
    bodies: dict[str, str]


@place_facts
def boundaries(level: str, as_at: AsAt) -> BoundarySet:
    """The body of one level in which each known LSOA lies on a day: by code, for all LSOAs at once.

    An LSOA whose council faces several boards, and which no board names, lies in none.
    """
    sql = f"SELECT s.value, s.organisation_id FROM {statements(as_at)} WHERE s.kind = 'area' AND {as_at.holds('s')}"
    nearest: dict[str, set[int]] = defaultdict(set)
    for lsoa, body in select(sql, as_at.day):
        nearest[lsoa].add(body)
    climbs: dict[frozenset[int], _Climb] = {}
    answers: dict[tuple[object, ...], str] = {}
    bodies = {}
    for lsoa, start in nearest.items():
        group = frozenset(start)
        if group not in climbs:
            climbs[group] = _climb(group, frozenset(), as_at)
        # Areas of one group differ only by the part of a split in which they lie.
        key = (group, *(lsoa in edge.areas for edge in climbs[group].splits))
        if key not in answers:
            climb = _climb(group, frozenset({lsoa}), as_at) if climbs[group].splits else climbs[group]
            here = [r.body.code for r in _by_level(climb.found.values()) if r.body.kind.level == level]
            answers[key] = here[0] if len(here) == 1 else ""
        if answers[key]:
            bodies[lsoa] = answers[key]
    name = f"{level}@{as_at.on.isoformat()}" + (f"+{as_at.draft}" if as_at.draft else "")
    return BoundarySet(name, bodies)


@place_facts
def atoms(sets: Sequence[BoundarySet]) -> Atoms:
    """Boundary atoms of several sets of boundaries, by the names of the sets."""
    return make_atoms({each.name: each.bodies for each in sets})
