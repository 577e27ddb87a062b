"""Is this valid FHIR R4? One function in front of the library fhirkit and the checks it leaves out.

fhirkit sees structure: unknown and missing elements, wrong JSON types, the form of primitives, two
values where one is allowed, nulls, empty arrays, keys given twice. The walk here adds, by the table
definitions/rules/fhir-r4.json: required codes, reference targets, days that do not exist, ids,
narratives, some invariants and empty objects.

Not checked: profiles (UK Core and those of vital signs included), whether extensions are known,
terminology beyond required codes (other codes, names of codes, units), most invariants, the content of
expressions and signatures, text of more than 1 MB, the order of elements in XML, and whether what a
reference points to exists, save for contained resources and a document's Composition.
"""

import re
from collections.abc import Sequence
from typing import Any

import fhirkit
import orjson

from joinery.apps.record.fhir.bundle import bundle_issues
from joinery.apps.record.fhir.checks import ALONE, Near
from joinery.apps.record.fhir.issues import issue, shorten, value_at
from joinery.apps.record.fhir.rules import Kind, rules
from joinery.apps.record.rows import Issue

__all__ = ["Issue", "bundle_issues", "validate"]

MOST_ISSUES = 100

# Where the walk stands: the place above, the element, its position in a list.
Place = tuple["Place | None", str, int | None]
# Place, rule, value, message.
Found = list[tuple[Place | None, str, Any, str]]

# What fhirkit says, the rule's name, and what to tell the sender. The first that fits counts.
LIBRARY_SAYS = [
    (re.compile(pattern), rule, message)
    for pattern, rule, message in (
        ("required element missing", "required", "An element that FHIR R4 requires is missing. Add it."),
        ("only one type may be given", "choice", "This is given as several types; one is allowed. Keep one."),
        ("unknown element", "unknown-element", "FHIR R4 has no such element here. Correct its name or remove it."),
        ("appears more than once", "duplicate-key", "This key is given twice; one value would be lost. Keep one."),
        ("null ", "null", "null is not allowed here. Leave the element out."),
        ("empty array", "empty", "An empty list is not allowed. Leave the element out."),
        ("empty string", "empty", "Empty text is not allowed. Leave the element out."),
        ("needs a resourceType", "resource-type", "There is no resourceType. Name the type of resource."),
        ("not a FHIR R4 resource type", "resource-type", "FHIR R4 has no such resource type. Correct resourceType."),
        ("found an array$", "json-type", "A list is given where one value is expected. Send the value alone."),
        ("^expected an array", "json-type", "One value is given where a list is expected. Put it in [ ]."),
        (r"^expected (.+), found (.+)$", "json-type", r"Here is \2 where \1 is expected. Send \1."),
        ("not a valid dateTime$", "form", "This is not a FHIR date and time. Send 2026-03-03T14:30:00Z or 2026-03-03."),
        ("not a valid instant$", "form", "This is not a FHIR instant. Send it in full, as 2026-03-03T14:30:00Z."),
        ("not a valid date$", "form", "This is not a FHIR date. Send 2026-03-03, 2026-03 or 2026."),
        (
            r"not an? (?:valid |FHIR )?(\w+)(?: \([\w ]+\))?$",
            "form",
            r"This does not have the form of a FHIR \1. Mend it.",
        ),
        ("outside the 32-bit range", "form", "This whole number is too large or too small for FHIR. Correct it."),
    )
]


def validate(body: bytes, parts: Sequence[bytes] = ()) -> tuple[dict[str, Any] | None, tuple[Issue, ...]]:
    """The resource as parsed, and all that is wrong with it; never raises.

    The resource is None where the body is not one JSON object. The entries of a Bundle are checked
    too, and how they are put together. Of very many issues the first MOST_ISSUES are given; of a Bundle
    all, for an entry about which nothing is said is taken. `parts` are the bytes of the resource in each
    entry of a Bundle, from a caller who has them: then each is walked only as closely as it needs.
    """
    try:
        said = fhirkit.validate(body)
        resource = orjson.loads(body)
    except (fhirkit.ParseError, orjson.JSONDecodeError) as error:
        return None, (issue("", "json", None, f"This cannot be read as JSON: {shorten(str(error), 120)}. Correct it."),)
    if resource.__class__ is not dict:
        return None, tuple(from_library(each, resource) for each in said)
    found: Found = []
    if parts:
        walk_by_entry(resource, body, parts, found)
    else:
        walk_as_needed(resource, body, None, found)
    if b"\\u0000" in body or b'"fhir_comments"' in body:
        find_odd(resource, None, found)
    is_bundle = resource.get("resourceType") == "Bundle"
    if not (said or found or is_bundle):
        return resource, ()
    most = None if is_bundle else MOST_ISSUES
    issues = [from_library(each, resource) for each in said[:most]]
    reported = {each.path for each in issues}
    root = resource.get("resourceType")
    for place, rule, value, message in found[:most]:
        path = path_of(place, root)
        if path not in reported:
            issues.append(issue(path, rule, value, message))
    if is_bundle:
        issues += bundle_issues(resource)
    return resource, tuple(issues[:most])


def walk_as_needed(
    resource: dict[str, Any], body: bytes, place: Place | None, found: Found, near: Near = ALONE
) -> None:
    """Walk a resource. Extensions and empty objects can be anywhere: only where there are any, all of it."""
    known = rules()
    if b'xtension"' in body or b"{}" in body:
        walk(resource, known.whole, known.element, place, near, found)
    else:
        walk(resource, known.brief, None, place, near, found)


def walk_by_entry(bundle: dict[str, Any], body: bytes, parts: Sequence[bytes], found: Found) -> None:
    """Walk a Bundle without its resources, and then each of these."""
    entries = bundle["entry"]
    shell = [entry | {"resource": None} if "resource" in entry else entry for entry in entries]
    walk_as_needed(bundle | {"entry": shell}, body, None, found)
    near = Near({}, types_of_entries(bundle))
    for index, (entry, part) in enumerate(zip(entries, parts, strict=True)):
        if "resource" in entry:
            walk_as_needed(entry["resource"], part, ((None, "entry", index), "resource", None), found, near)


def walk(
    node: dict[str, Any],
    kind: Kind,
    element: Kind | None,
    place: Place | None,
    near: Near,
    found: Found,
) -> None:
    """Check one object and what is below it against its Kind, adding to `found`.

    `element` is the Kind of what stands beside a primitive ("_birthDate"; None: not looked at); `near` what
    a reference may point to without leaving the file. Parts of the wrong JSON type are passed over:
    fhirkit reports those.
    """
    if not node:
        found.append((place, "empty", node, "An empty object is not allowed. Leave the element out."))
        return
    if kind.resources is not None:
        name = node.get("resourceType")
        chosen = kind.resources.get(name) if isinstance(name, str) else None
        if chosen is None:
            return
        kind = chosen
        if "contained" in node:
            near = Near(types_of_contained(node["contained"]), near.entries)
        elif name == "Bundle":
            near = Near({}, types_of_entries(node))
    for invariant in kind.invariants:
        try:
            if invariant.holds(node):
                continue
        except (AttributeError, KeyError, TypeError, ValueError):
            continue  # The shape is wrong, which fhirkit reports.
        found.append((place, invariant.key, None, invariant.message))
    elements = kind.elements
    for name, value in node.items():
        rule = elements.get(name)
        if rule is None:
            if element is None or name[:1] != "_":
                continue
            rule = None, element
        check, below = rule
        # One value or a list of them; written out twice, for this loop is most of the time spent here.
        if value.__class__ is not list:
            if check is not None and (problem := check(value, near)) is not None:
                found.append(((place, name, None), problem[0], value, problem[1]))
            if below is not None and value.__class__ is dict and (below.has_none is None or not below.has_none(value)):
                walk(value, below, element, (place, name, None), near, found)
            continue
        for index, item in enumerate(value):
            if check is not None and (problem := check(item, near)) is not None:
                found.append(((place, name, index), problem[0], item, problem[1]))
            if below is not None and item.__class__ is dict and (below.has_none is None or not below.has_none(item)):
                walk(item, below, element, (place, name, index), near, found)


def types_of_contained(listed: Any) -> dict[str, Any]:
    """What "#id" may point to: types by id."""
    resources = listed if isinstance(listed, list) else []
    return {
        each["id"]: each.get("resourceType")
        for each in resources
        if isinstance(each, dict) and isinstance(each.get("id"), str)
    }


def types_of_entries(bundle: dict[str, Any]) -> dict[str, Any]:
    """What a reference to another entry of the Bundle may point to: types by address."""
    listed = bundle.get("entry")
    return {
        entry["fullUrl"]: entry["resource"].get("resourceType")
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("fullUrl"), str) and isinstance(entry.get("resource"), dict)
    }


def find_odd(node: Any, place: Place | None, found: Found) -> None:
    """What fhirkit lets pass: the comments of an older FHIR; and text with the character U+0000, which PostgreSQL
    cannot keep and no reader expects.
    """
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "fhir_comments":
                found.append(((place, name, None), "unknown-element", None, "FHIR R4 has no comments. Remove this."))
            find_odd(value, (place, name, None), found)
    elif isinstance(node, list):
        above, name, _ = place or (None, "", None)
        for index, value in enumerate(node):
            find_odd(value, (above, name, index), found)
    elif isinstance(node, str) and "\0" in node:
        found.append((place, "nul", node.replace("\0", "␀"), "This text holds the character U+0000. Remove it."))


def path_of(place: Place | None, root: Any) -> str:
    """The path in words: Patient.name[0].family."""
    steps: list[str] = []
    while place is not None:
        place, name, index = place
        steps.append(name if index is None else f"{name}[{index}]")
    return ".".join([str(root), *reversed(steps)])


def from_library(said: fhirkit.Issue, resource: Any) -> Issue:
    """An issue of fhirkit's in our words."""
    for pattern, rule, message in LIBRARY_SAYS:
        match = pattern.search(said.message)
        if match:
            return issue(said.path, rule, value_at(resource, said.path), match.expand(message))
    return issue(said.path, "structure", value_at(resource, said.path), "FHIR R4 does not allow this here. Correct it.")
