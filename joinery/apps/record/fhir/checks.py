"""Checks of single FHIR R4 values that the library fhirkit leaves out.

A check takes a value as parsed from JSON and what is near it in the file, and returns None or the
(rule, message) of what is wrong. A value of the wrong JSON type passes here: the library reports that.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Problem = tuple[str, str]


class Near(NamedTuple):
    """What a reference may point to without leaving its file: the resource types of the contained resources by
    id, and of the entries of the Bundle by address. A type that is no text is reported by the library.
    """

    contained: Mapping[str, Any]
    entries: Mapping[str, Any]


ALONE = Near({}, {})
Check = Callable[[Any, Near], Problem | None]

CODES_SHOWN = 12
# https://hl7.org/fhir/R4/datatypes.html#id
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
# The end of a literal reference: https://hl7.org/fhir/R4/references.html#literal
TYPE_AND_ID = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?$")
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
HL7_CANONICAL = re.compile(r"https?://hl7\.org/fhir/([A-Z][A-Za-z]+)/")


def check_id(value: Any, _: Near) -> Problem | None:
    """A resource's id: 1 to 64 letters, digits, hyphens and dots."""
    if value.__class__ is not str or ID.fullmatch(value):
        return None
    return "id", "This id has characters that FHIR does not allow, or is too long. Use 1 to 64 letters, digits, - or ."


def check_day(value: Any, _: Near) -> Problem | None:
    """A date, dateTime or instant whose day exists. Its form is the library's to check."""
    if value.__class__ is not str or (value[8:10] <= "28" and value[:4] != "0000"):
        return None
    year, month, day = value[:4], value[5:7], value[8:10]
    if not (year.isdecimal() and month.isdecimal() and day.isdecimal()) or not 1 <= int(month) <= 12:
        return None if year != "0000" else ("date", "There is no year 0000. Send the real date, or leave it out.")
    if int(year) > 0 and int(day) <= monthrange(int(year), int(month))[1]:
        return None
    return "date", "There is no such day in the calendar. Send the real date, or only the year and month."


def code_check(codes: frozenset[str]) -> Check:
    """A code from a required set."""
    shown = ", ".join(sorted(codes)[:CODES_SHOWN]) + (" and others" if len(codes) > CODES_SHOWN else "")
    problem = "code", f"This code is not one that FHIR R4 allows here. Use one of: {shown}."

    def check(value: Any, _: Near) -> Problem | None:
        return problem if value.__class__ is str and value not in codes else None

    return check


def concept_check(codes_by_system: dict[str, frozenset[str]]) -> Check:
    """A CodeableConcept of which at least one coding comes from a required set."""
    shown = "; ".join(f"{system} with {', '.join(sorted(codes))}" for system, codes in codes_by_system.items())
    problem = "code", f"At least one coding must come from the set that FHIR R4 requires here: {shown}."

    def check(value: Any, _: Near) -> Problem | None:
        if value.__class__ is not dict or "extension" in value:
            return None
        codings = value.get("coding", [])
        if codings.__class__ is not list:
            return None
        for coding in codings:
            if coding.__class__ is not dict:
                return None
            system, code = coding.get("system"), coding.get("code")
            if system.__class__ is str and code.__class__ is str and code in codes_by_system.get(system, ()):
                return None
        return problem

    return check


def reference_check(targets: frozenset[str], resource_types: frozenset[str]) -> Check:
    """A Reference: the form of a literal one, and the type it points to (`targets` empty: any).

    What it points to is not looked up, save among the contained resources and the entries of its Bundle.
    """
    allowed = targets or resource_types
    wanted = "a known resource type" if not targets else " or ".join(sorted(targets))
    wrong_type = "reference-target", f"This points to a type of resource that is not allowed here. Point to {wanted}."
    malformed = "reference-form", "This is not a reference that can be followed. Send Type/id or a full address."
    missing = "ref-1", "This points to a contained resource that is not there. Add it, or correct the #id."
    disagree = "reference-type", "The reference and its type name different types of resource. Correct one of them."

    def check(value: Any, near: Near) -> Problem | None:
        if value.__class__ is not dict:
            return None
        named = value.get("type")
        if named.__class__ is str and named in resource_types and named not in allowed:
            return wrong_type
        reference = value.get("reference")
        if reference.__class__ is not str:
            return None
        head = near.entries.get(reference)
        if head is not None:
            return None if head in allowed else wrong_type
        if reference[:4] == "urn:":
            return None
        if reference[:1] == "#":
            if reference != "#" and reference[1:] not in near.contained:
                return missing
            head = near.contained.get(reference[1:])
            return wrong_type if head in resource_types and head not in allowed else None
        match = TYPE_AND_ID.search(reference)
        if match is None or match[1] not in resource_types:
            # A full address may be anything; a conditional reference (Type?query) names its type first.
            head, conditional, _ = reference.partition("?")
            if SCHEME.match(reference):
                return None
            if not conditional or head not in resource_types:
                return malformed
        else:
            head = match[1]
        if head not in allowed:
            return wrong_type
        if named.__class__ is str and named in resource_types and named != head:
            return disagree
        return None

    return check


def canonical_check(targets: frozenset[str], resource_types: frozenset[str]) -> Check:
    """A canonical address. Only HL7's own addresses are known to name the type of what they point to."""
    problem = (
        "canonical-target",
        f"This address is of a type of definition that is not allowed here. Point to {' or '.join(sorted(targets))}.",
    )

    def check(value: Any, _: Near) -> Problem | None:
        match = HL7_CANONICAL.match(value) if value.__class__ is str else None
        wrong = match and match[1] in resource_types and match[1] not in targets
        return problem if targets and wrong else None

    return check


def check_canonical_url(value: Any, _: Near) -> Problem | None:
    """The address of a definition or of a code system, which must be a full one."""
    if value.__class__ is not str or SCHEME.match(value):
        return None
    return "canonical-url", "This must be a full address. Start it with https:// or urn:."
