"""The table definitions/rules/fhir-r4.json (made by tools/fhir_r4_rules.py), made ready to walk by.

A Kind holds what to check of one FHIR type. There are two sets of them. `whole` looks at everything.
`brief` leaves out extensions and every branch below which nothing is checked, which is most of a
resource; it serves bodies that have no extension and no empty object in them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from joinery import definitions
from joinery.apps.record.fhir import checks
from joinery.apps.record.fhir.invariants import INVARIANTS, Invariant
from joinery.apps.record.fhir.narrative import narrative_check

TABLE = Path(definitions.__file__).parent / "rules" / "fhir-r4.json"
EXTENSIONS = ("extension", "modifierExtension")


@dataclass(slots=True, eq=False)
class Kind:
    """One type. `elements`: by name, the check of the value and the Kind below it (None: neither)."""

    elements: dict[str, tuple[checks.Check | None, "Kind | None"]] = field(default_factory=dict)
    invariants: tuple[Invariant, ...] = ()
    # Only for "any resource": the Kinds to choose from by resourceType.
    resources: dict[str, "Kind"] | None = None
    # Where nothing but the named elements is looked at: whether an object has none of them.
    has_none: Callable[[dict[str, Any]], bool] | None = None


class Rules(NamedTuple):
    whole: Kind
    brief: Kind
    element: Kind


def make_check(rule: str, table: dict[str, Any], resource_types: frozenset[str]) -> checks.Check | None:
    """The check that a rule of the table asks for, such as "code observation-status"."""
    name, *words = rule.split()
    if name in ("date", "dateTime", "instant"):
        return checks.check_day
    if name == "id":
        return checks.check_id
    if name == "xhtml":
        allowed = table["narrative"]
        return narrative_check(frozenset(allowed["elements"].split()), frozenset(allowed["attributes"].split()))
    if name == "url":
        return checks.check_canonical_url
    if name == "code":
        return checks.code_check(frozenset(table["codes"][words[0]].split()))
    if name == "CodeableConcept" and words:
        by_system = table["concepts"][words[0]]
        return checks.concept_check({system: frozenset(codes.split()) for system, codes in by_system.items()})
    if name == "Reference":
        return checks.reference_check(frozenset(words), resource_types)
    if name == "canonical":
        return checks.canonical_check(frozenset(words), resource_types)
    return None


def make_kinds(table: dict[str, Any]) -> dict[str, Kind]:
    """Every type of the table by name; "Resource" stands for any resource."""
    resource_types = frozenset(table["resources"].split())
    types = table["types"]
    kinds = {name: Kind(invariants=INVARIANTS.get(name, ())) for name in types}
    kinds["Resource"] = Kind(resources={name: kinds[name] for name in resource_types})
    made: dict[str, checks.Check | None] = {}
    for name, elements in types.items():
        is_resource = name in resource_types
        if is_resource:
            kinds[name].invariants += INVARIANTS["Resource"]
        for element, rule in (types["Resource" if is_resource else "Element"] | elements).items():
            if rule not in made:
                made[rule] = make_check(rule, table, resource_types)
            kinds[name].elements[element] = made[rule], kinds.get(rule.split()[0])
    return kinds


def prune(kinds: dict[str, Kind]) -> None:
    """Take out extensions, then every element that has no check and leads to none."""
    for kind in kinds.values():
        for name in EXTENSIONS:
            kind.elements.pop(name, None)
    idle = [kind for kind in kinds.values() if kind.resources is None and not kind.invariants]
    while True:
        nothing = {id(kind) for kind in idle if not kind.elements}
        kept = len(nothing)
        for kind in kinds.values():
            for name, (check, below) in list(kind.elements.items()):
                if below is None or id(below) not in nothing:
                    continue
                if check is None:
                    del kind.elements[name]
                else:
                    kind.elements[name] = check, None
        if kept == sum(not kind.elements for kind in idle):
            break
    for kind in idle:
        kind.has_none = frozenset(kind.elements).isdisjoint


@cache
def rules() -> Rules:
    """The rules, read once. `whole` and `brief` stand for any resource, `element` for a primitive's own."""
    table = orjson.loads(TABLE.read_bytes())
    whole, brief = make_kinds(table), make_kinds(table)
    prune(brief)
    return Rules(whole["Resource"], brief["Resource"], whole["Element"])
