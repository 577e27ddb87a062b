"""Boundary atoms: the same sums as adding up areas one by one, and as few atoms as can be."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joinery.calc.boundaries import make_atoms

AREAS = [f"E{n}" for n in range(7)]
boundary_sets = st.dictionaries(st.sampled_from(AREAS), st.sampled_from("PQR"))
several = st.dictionaries(st.sampled_from(["1974", "2002", "2022"]), boundary_sets, min_size=1)
counts = st.dictionaries(st.sampled_from(AREAS), st.integers(-1000, 1000))

Sets = Mapping[str, Mapping[str, str]]


def always_together(sets: Sets, one: str, other: str) -> bool:
    return all(boundaries.get(one) == boundaries.get(other) for boundaries in sets.values())


def added_up(boundaries: Mapping[str, str], by_area: Mapping[str, float]) -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for area, body in boundaries.items():
        sums[body] += by_area.get(area, 0)
    return dict(sums)


@given(several)
def test_areas_are_of_one_atom_when_they_were_always_in_the_same_bodies(sets: Sets) -> None:
    atoms = make_atoms(sets)
    areas = sorted(set().union(*sets.values()))
    assert sorted(atoms.of_area) == areas
    for one in areas:
        for other in areas:
            assert (atoms.of_area[one] == atoms.of_area[other]) is always_together(sets, one, other)
    assert sorted(set(atoms.of_area.values())) == list(range(atoms.count))
    for name, boundaries in sets.items():
        assert {area: atoms.bodies[name][atom] for area, atom in atoms.of_area.items()} == {
            area: boundaries.get(area, "") for area in areas
        }


@given(several, counts)
def test_every_roll_up_is_the_sum_over_areas(sets: Sets, by_area: dict[str, float]) -> None:
    atoms = make_atoms(sets)
    known = {area: value for area, value in by_area.items() if area in atoms.of_area}
    by_atom = atoms.gather(known)
    for name, boundaries in sets.items():
        assert atoms.roll_up(by_atom, name) == added_up(boundaries, known)


@given(several, boundary_sets)
def test_a_proposed_set_cuts_the_atoms_whose_areas_it_parts(sets: Sets, proposed: Mapping[str, str]) -> None:
    atoms = make_atoms(sets)
    parted = {
        atom
        for one, atom in atoms.of_area.items()
        for other, same in atoms.of_area.items()
        if atom == same and proposed.get(one) != proposed.get(other)
    }
    assert atoms.cut_by(proposed) == tuple(sorted(parted))


@given(several)
def test_sets_that_made_the_atoms_cut_none(sets: Sets) -> None:
    assert all(make_atoms(sets).cut_by(boundaries) == () for boundaries in sets.values())


def test_an_area_or_a_set_that_the_atoms_do_not_know_is_an_error() -> None:
    atoms = make_atoms({"2022": {"E1": "A"}})
    with pytest.raises(KeyError):
        atoms.gather({"E2": 1})
    with pytest.raises(KeyError):
        atoms.roll_up([1], "2026")
    with pytest.raises(ValueError, match="argument"):
        atoms.roll_up([1, 2], "2022")


def merged(boundaries: Mapping[str, str], count: int) -> dict[str, str]:
    """The same boundaries after their last bodies merged into the first ones, so that `count` are left."""
    names = sorted(set(boundaries.values()))
    into = dict(zip(names[count:], names, strict=False))
    return {area: into.get(body, body) for area, body in boundaries.items()}


def synthetic_map() -> dict[str, dict[str, str]]:
    """10,000 areas under three sets: 30 places, merged to 22, then to 18 where a third of one moves."""
    first = {f"E{n:08}": f"P{n % 30:02}" for n in range(10_000)}
    second = merged(first, 22)
    third = merged(second, 18)
    # The one that is cut stands by itself in all three sets.
    mine = [area for area, body in third.items() if body == "P10" and first[area] == "P10"]
    return {"1": first, "2": second, "3": third | dict.fromkeys(mine[: len(mine) // 3], "P11")}


def test_the_synthetic_map_has_31_atoms() -> None:
    sets = synthetic_map()
    atoms = make_atoms(sets)
    assert [len(set(boundaries.values())) for boundaries in sets.values()] == [30, 22, 18]
    assert (len(atoms.of_area), atoms.count) == (10_000, 31)

    chance = random.Random(2026)
    by_area = {area: chance.randrange(1000) for area in atoms.of_area}
    by_atom = atoms.gather(by_area)
    for name, boundaries in sets.items():
        assert atoms.roll_up(by_atom, name) == added_up(boundaries, by_area)

    # Another merger of bodies costs no new count; moving a single area costs one, of the atom that it leaves.
    assert atoms.cut_by(merged(sets["3"], 9)) == ()
    area = next(iter(sets["3"]))
    assert atoms.cut_by(sets["3"] | {area: "P17"}) == (atoms.of_area[area],)
