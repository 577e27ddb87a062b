"""Boundary atoms: areas grouped by the bodies they were in under every set of boundaries.

All areas of an atom always moved together, so any set of boundaries that was used to make the atoms,
and any merger of its bodies, is a sum over atoms. The method is our own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Atoms:
    """`of_area` gives each area's atom; `bodies[name][atom]` its body in the set called `name`.

    Atoms are numbered from 0. One that lies in no body of a set has the body "" there.
    """

    of_area: Mapping[str, int]
    bodies: Mapping[str, tuple[str, ...]]
    count: int

    def gather(self, by_area: Mapping[str, float]) -> list[float]:
        """Sums by atom of an additive value by area. Raises KeyError for an area of no atom."""
        sums = [0.0] * self.count
        for area, value in by_area.items():
            sums[self.of_area[area]] += value
        return sums

    def roll_up(self, by_atom: Sequence[float], boundaries: str) -> dict[str, float]:
        """Sums by body of the set `boundaries`. Raises KeyError when the atoms know no such set.

        >>> atoms = make_atoms({"2022": {"E1": "A", "E2": "B"}, "2026": {"E1": "C", "E2": "C"}})
        >>> atoms.roll_up([3, 4], "2026")
        {'C': 7.0}
        """
        sums: dict[str, float] = defaultdict(float)
        for body, value in zip(self.bodies[boundaries], by_atom, strict=True):
            if body:
                sums[body] += value
        return dict(sums)

    def cut_by(self, proposed: Mapping[str, str]) -> tuple[int, ...]:
        """The atoms that a further set of boundaries (area to body) cuts: only these need a new count."""
        first: dict[int, str] = {}
        cut = {
            atom
            for area, atom in self.of_area.items()
            if first.setdefault(atom, proposed.get(area, "")) != proposed.get(area, "")
        }
        return tuple(sorted(cut))


def make_atoms(sets: Mapping[str, Mapping[str, str]]) -> Atoms:
    """Atoms of all areas of `sets` (name to area to body), numbered in the order of their areas' codes."""
    together: dict[tuple[str, ...], int] = {}
    of_area: dict[str, int] = {}
    for area in sorted(set().union(*sets.values())):
        bodies = tuple(boundaries.get(area, "") for boundaries in sets.values())
        of_area[area] = together.setdefault(bodies, len(together))
    columns = {name: tuple(bodies[i] for bodies in together) for i, name in enumerate(sets)}
    return Atoms(of_area, columns, len(together))
