"""Which bodies answer for an area on a day, and the boundaries of a level as a whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from joinery.apps.base.columns import marks, select
from joinery.apps.base.facts import place_facts
from joinery.apps.place.briefs import Brief
from joinery.apps.place.facts.bodies import briefs, by_codes
from joinery.apps.place.kinds import KINDS, LEVELS
from joinery.apps.place.lineage import lineage_of
from joinery.apps.place.sql import AsAt, of_kind, statements
from joinery.calc.boundaries import Atoms, make_atoms
from joinery.calc.succession import Edge, Lineage

# Relations that lead from a body to the one that answers for a wider area. A council may face several
# boards, so what is reached by facing counts only where nothing nests.
NESTS = ("part_of", "in_geography_of")
FACES = "faces"
_MOST_STEPS = 12
# What brings a body inside another; through successors, because relations are not rewritten when a body ends.
_WITHIN = (*NESTS, "operated_by", "commissioned_by", "owned_by", "succeeded_by")
MOST_INSIDE = 200
_MOST_REACHED = 2000


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
        f"WHERE {of_kind('area')} AND s.value = %s AND {as_at.holds('s')}"
    )
    return _outwards({row[0] for row in select(sql, [lsoa, *as_at.day])}, frozenset({lsoa}), as_at)


@place_facts
def outwards(code: str, as_at: AsAt) -> tuple[Responsible, ...]:
    """A body and those that answer for a wider area around it, on a day."""
    return _outwards({b.id for b in by_codes([code], as_at).values()}, frozenset(), as_at)


@dataclass(slots=True)
class _Found:
    body: Brief
    because: tuple[str, ...]
    faced: bool
    passed_from: str


@dataclass(frozen=True, slots=True)
class _Around:
    """What lies outwards of some bodies, read once: names, relations, and what became of those that ended."""

    as_at: AsAt
    known: dict[int, Brief]
    by_code: dict[str, Brief]
    relations: dict[int, list[tuple[str, int]]]
    lineage: Lineage


def _around(start: Collection[int], as_at: AsAt) -> _Around:
    """Read what lies outwards, through successors too, in three statements at most."""
    kinds = (*NESTS, FACES, "succeeded_by")
    step = "{0}.organisation_id = w.id AND {0}.kind IN (" + marks(kinds) + ") AND {1}"
    onward, edge = (statements(as_at, s, on=step.format(s, as_at.holds(s))) for s in "xs")
    sql = (
        f"WITH RECURSIVE around(id) AS (SELECT id FROM place_organisation WHERE id IN ({marks(list(start))}) "
        f"UNION SELECT x.target_id FROM around w JOIN {onward}) "
        f"SELECT s.organisation_id, s.kind, s.target_id FROM around w JOIN {edge}"
    )
    values = [*kinds, *as_at.day]
    rows = sorted(select(sql, [*start, *values, *values])) if start else []
    relations: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for body, kind, target in rows:
        relations[body] += [(kind, target)] if kind != "succeeded_by" else []
    known = briefs({*start, *(body for row in rows for body in (row[0], row[2]))}, as_at)
    ended = {b.code for b in known.values() if b.has_ended(as_at.on)}
    lineage = lineage_of(ended, as_at)[0] if ended else Lineage({}, ())
    return _Around(as_at, known, {b.code: b for b in known.values()}, relations, lineage)


@dataclass(slots=True)
class _Climb:
    """One climb from the nearest bodies outwards; what nests comes before what is faced."""

    around: _Around
    about: frozenset[str]
    found: dict[int, _Found] = field(default_factory=dict)
    # The splits that nothing decided, which an area might.
    splits: list[Edge] = field(default_factory=list)

    def step(self, reached: Iterable[tuple[int, tuple[str, ...], bool]]) -> list[_Found]:
        """Take in bodies by id, each with the way to it; those new to the climb, heirs in place of the ended."""
        on, lineage = self.around.as_at.on, self.around.lineage
        # A split may name any body in whose area all of it lies, on this way or not.
        about = self.about | {each.body.code for each in self.found.values() if not each.faced}
        new = []
        for body, (because, faced) in {body: (because, faced) for body, because, faced in reached}.items():
            stands, passed_from = self.around.known[body], ""
            if stands.has_ended(on):
                heir = lineage.heir(stands.code, on, about | set(because))
                if heir is None:
                    self.splits += [edge for edge in lineage.edges if edge.areas]
                    continue
                passed_from = stands.code
                stands = self.around.by_code[heir]
            if stands.is_open(on) and stands.id not in self.found:
                self.found[stands.id] = _Found(stands, because, faced, passed_from)
                new.append(self.found[stands.id])
        return new


def _climb(start: Collection[int], about: frozenset[str], around: _Around) -> _Climb:
    climb = _Climb(around, about)
    new = climb.step((body, (), False) for body in start)
    facing: list[tuple[int, tuple[str, ...], bool]] = []
    for _ in range(_MOST_STEPS):
        if not new and not facing:
            break
        onward: list[tuple[int, tuple[str, ...], bool]] = []
        for each in new:
            way = (*each.because, each.body.code)
            for kind, target in around.relations.get(each.body.id, ()):
                (facing if kind == FACES else onward).append((target, way, each.faced or kind == FACES))
        if not onward and facing:
            onward, facing = facing, []
        new = climb.step(onward)
    return climb


def _outwards(start: Collection[int], about: frozenset[str], as_at: AsAt) -> tuple[Responsible, ...]:
    return _by_level(_climb(start, about, _around(start, as_at)).found.values())


def _by_level(found: Iterable[_Found]) -> tuple[Responsible, ...]:
    """By level; at a level that nesting reached, what is only faced is left out."""
    levels: dict[str, list[_Found]] = defaultdict(list)
    for each in found:
        levels[each.body.kind.level].append(each)
    answer = []
    for level in LEVELS:
        nested = [each for each in levels[level] if not each.faced]
        here = list({each.body.code: each for each in nested or levels[level]}.values())
        here.sort(key=lambda each: each.body.code)
        several = len(here) > 1 and here[0].faced
        answer += [Responsible(e.body, e.because, e.faced, several, e.passed_from) for e in here]
    return tuple(answer)


@dataclass(frozen=True, slots=True)
class Contained:
    """A body inside another: how it stands (`kind`, in words) to `of`, which is inside too, or is that body."""

    body: Brief
    words: str
    of: Brief


@dataclass(frozen=True, slots=True)
class Inside:
    """The bodies inside another, by level and name; `more` says that there are others."""

    bodies: tuple[Contained, ...]
    more: bool


@place_facts
def inside(code: str, as_at: AsAt, limit: int = MOST_INSIDE) -> Inside:
    """The bodies that lie in a body, or that it operates, commissions or owns, and those inside these, on a day.

    What stood in such a relation to a body that has ended is found with the body that took over. At most
    200; the nearest to the person are kept.
    """
    step = "{0}.target_id = w.id AND {0}.kind IN (" + marks(_WITHIN) + ") AND {1}"
    inward, edge = (statements(as_at, s, on=step.format(s, as_at.holds(s))) for s in "xs")
    sql = (
        "WITH RECURSIVE inward(id) AS (SELECT id FROM place_organisation WHERE code = %s "
        f"UNION SELECT x.organisation_id FROM inward w JOIN {inward}), "
        f"reached(id) AS (SELECT id FROM inward LIMIT {_MOST_REACHED}) "
        f"SELECT s.organisation_id, s.kind, s.target_id FROM reached w JOIN {edge}"
    )
    values = [*_WITHIN, *as_at.day]
    rows = sorted(select(sql, [code, *values, *values]))
    known = briefs({body for row in rows for body in (row[0], row[2])}, as_at)
    ended = {b.code for b in known.values() if b.has_ended(as_at.on)}
    lineage = lineage_of(ended, as_at)[0] if ended else Lineage({}, ())
    members: dict[str, list[tuple[Brief, str]]] = defaultdict(list)
    for body, kind, target in rows:
        if kind != "succeeded_by" and known[body].is_open(as_at.on):
            heir = lineage.heir(known[target].code, as_at.on, frozenset({known[body].code}))
            members[heir or ""].append((known[body], KINDS[kind].words))
    found = _gather(code, members, {b.code: b for b in known.values()})
    order = list(LEVELS)
    found.sort(key=lambda each: (order.index(each.body.kind.level), each.body.name, each.body.code))
    limit = min(limit, MOST_INSIDE)
    return Inside(tuple(found[:limit]), len(found) > limit)


def _gather(code: str, members: dict[str, list[tuple[Brief, str]]], known: dict[str, Brief]) -> list[Contained]:
    """All that is inside a body, each once, by the shortest way to it."""
    found: dict[str, Contained] = {}
    todo = [code]
    for here in todo:
        for body, words in members.get(here, ()):
            if body.code != code and body.code not in found:
                found[body.code] = Contained(body, words, known[here])
                todo.append(body.code)
    return list(found.values())


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
    around = _around(set().union(*nearest.values()), as_at)
    climbs = {body: _climb([body], frozenset(), around) for body in set().union(*nearest.values())}
    answers: dict[tuple[object, ...], str] = {}
    bodies = {}
    for lsoa, start in nearest.items():
        # Areas of the same bodies differ only by the part of a split in which they lie.
        splits = [edge for body in sorted(start) for edge in climbs[body].splits]
        key = (frozenset(start), *(lsoa in edge.areas for edge in splits))
        if key not in answers:
            climbed = [_climb(start, frozenset({lsoa}), around)] if splits else [climbs[body] for body in start]
            here = {
                r.body.code
                for r in _by_level(each for climb in climbed for each in climb.found.values())
                if r.body.kind.level == level
            }
            answers[key] = here.pop() if len(here) == 1 else ""
        if answers[key]:
            bodies[lsoa] = answers[key]
    name = f"{level}@{as_at.on.isoformat()}" + (f"+{as_at.draft}" if as_at.draft else "")
    return BoundarySet(name, bodies)


@place_facts
def atoms(sets: Sequence[BoundarySet]) -> Atoms:
    """Boundary atoms of several sets of boundaries, by the names of the sets."""
    return make_atoms({each.name: each.bodies for each in sets})
