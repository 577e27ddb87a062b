"""`joinery place atoms`: which areas are together under every set of boundaries that is named."""

from __future__ import annotations

import argparse
import csv
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joinery.site.commands import Problem, say
from joinery.site.commands.place.common import check_proposal, get_ready, in_json, in_words, tell

if TYPE_CHECKING:
    from joinery.calc.boundaries import Atoms


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Make the atoms, say how many they are and what a proposal would cut, and write them if asked to."""
    get_ready()
    from joinery.apps.place import facts

    check_proposal(arguments.proposal)
    asked = list(dict.fromkeys(arguments.sets))
    for level, _ in asked:
        if level not in facts.AREA_LEVELS:
            raise Problem(f"There is no level {level}. Levels: {', '.join(facts.AREA_LEVELS)}.")
    if arguments.out and arguments.out.exists():
        raise Problem(f"{arguments.out} exists. Choose another name.")
    sets = [facts.boundaries(level, facts.as_at(day)) for level, day in asked]
    atoms = facts.atoms(sets)
    cut = _cut(asked, atoms, arguments.proposal) if arguments.proposal is not None else []
    said = [{"set": s.name, "bodies": sorted(set(s.bodies.values())), "lsoas": len(s.bodies)} for s in sets]
    if arguments.out:
        _write(arguments.out, atoms)
        say(f"Wrote {arguments.out}.")
    lines = [f"{len(atoms.of_area):,} LSOAs in {atoms.count:,} atoms"]
    lines += [
        f"  {s.name}: {len(s.bodies):,} LSOAs in {', '.join(sorted(set(s.bodies.values()))) or 'no body'}" for s in sets
    ]
    lines += [
        f"  The proposal's boundaries ({each['level']}, {in_words(date.fromisoformat(each['on']))}) cut "
        + (f"atoms {', '.join(map(str, each['atoms']))}" if each["atoms"] else "no atom")
        for each in cut
    ]
    tell(arguments, lines)
    answer = {"lsoas": len(atoms.of_area), "atoms": atoms.count, "sets": said, "cut": cut}
    return answer | {"file": str(arguments.out) if arguments.out else None}, 0


def _cut(asked: list[tuple[str, date]], atoms: Atoms, proposal: int) -> list[dict[str, Any]]:
    """The atoms that the proposal cuts, level by level, once all of it has happened."""
    from joinery.apps.place import facts

    days = [day for each in facts.changes(proposal) for day in (each.from_date, each.to_date) if day]
    found = []
    for level in dict.fromkeys(level for level, _ in asked):
        on = max([*days, *(day for of, day in asked if of == level)])
        proposed = facts.boundaries(level, facts.as_at(on, draft=proposal)).bodies
        found.append({"level": level, "on": in_json(on), "atoms": list(atoms.cut_by(proposed))})
    return found


def _write(path: Path, atoms: Atoms) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["lsoa", "atom", *atoms.bodies])
            for lsoa, atom in atoms.of_area.items():
                writer.writerow([lsoa, atom, *(bodies[atom] for bodies in atoms.bodies.values())])
    except OSError as error:
        raise Problem(f"{path} cannot be written: {error.strerror}.") from None
