"""Invariants of FHIR R4 worth holding at the door: HL7's key, a predicate, and what to tell the sender.

Chosen because they are common or protect care (an allergy with no status, a period that ends before it
starts). Expressions: the constraints in https://hl7.org/fhir/R4/ of each type. A predicate is given an
object whose shape may still be wrong; one that stumbles counts as holding, for the library has then
reported the shape.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

Node = dict[str, Any]

CONDITION_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
CONDITION_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ALLERGY_VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
MEALS_WITHOUT_OFFSET = {"C", "CM", "CD", "CV"}


class Invariant(NamedTuple):
    key: str
    holds: Callable[[Node], bool]
    message: str


def has(node: Node, name: str) -> bool:
    """Whether an element is there, by its value or by an extension in its place."""
    return name in node or f"_{name}" in node


def has_choice(node: Node, stem: str) -> bool:
    """Whether an element of several types is there, such as value[x]."""
    return any(name.removeprefix("_").startswith(stem) for name in node)


def needs(name: str, other: str) -> Callable[[Node], bool]:
    """Predicate: where the first element is, the other is too."""
    return lambda node: name not in node or has(node, other)


def not_both(name: str, other: str) -> Callable[[Node], bool]:
    return lambda node: name not in node or not has(node, other)


def any_of(*names: str) -> Callable[[Node], bool]:
    return lambda node: any(has(node, name) for name in names)


def is_coded(concept: Node | None, system: str, *codes: str) -> bool:
    return any(
        coding.get("system") == system and coding.get("code") in codes for coding in (concept or {}).get("coding", [])
    )


def in_order(start: str | None, end: str | None) -> bool:
    """Whether a date or dateTime is not after another, as far as both are precise.

    Days apart are compared as written; the zones count once the days leave it open.
    """
    if not start or not end or start[:10] < end[:10]:
        return True
    if "T" in start and "T" in end:
        return datetime.fromisoformat(start) <= datetime.fromisoformat(end)
    shared = min(len(start), len(end), 10)
    return start[:shared] <= end[:shared]


def low_to_high(node: Node) -> bool:
    low, high = node.get("low", {}), node.get("high", {})
    if low.get("code", low.get("unit")) != high.get("code", high.get("unit")):
        return True
    return not ("value" in low and "value" in high) or low["value"] <= high["value"]


def component_codes_differ(node: Node) -> bool:
    if "component" not in node or not has_choice(node, "value"):
        return True
    own = node["code"].get("coding", [])
    return not any(coding in own for part in node["component"] for coding in part["code"].get("coding", []))


def allergy_in_error(node: Node) -> bool:
    return is_coded(node.get("verificationStatus"), ALLERGY_VERIFICATION, "entered-in-error")


def condition_in_error(node: Node) -> bool:
    return is_coded(node.get("verificationStatus"), CONDITION_VERIFICATION, "entered-in-error")


def ended_condition_not_active(node: Node) -> bool:
    if not has_choice(node, "abatement"):
        return True
    return is_coded(node.get("clinicalStatus"), CONDITION_CLINICAL, "resolved", "remission", "inactive")


def offset_has_meal(node: Node) -> bool:
    if "offset" not in node:
        return True
    return bool(node.get("when")) and MEALS_WITHOUT_OFFSET.isdisjoint(node["when"])


def home_use_absent(node: Node, name: str) -> bool:
    return all(each.get("use") != "home" for each in node.get(name, []))


def is_size_of_data(attachment: Node) -> bool:
    if "data" not in attachment or "size" not in attachment:
        return True
    encoded = "".join(attachment["data"].split())
    return bool(attachment["size"] == len(encoded) * 3 // 4 - encoded[-2:].count("="))


UNIT_SYSTEM = Invariant(
    "qty-3",
    needs("code", "system"),
    "A unit code is given without its code system. Add the system, for example http://unitsofmeasure.org.",
)

INVARIANTS: dict[str, tuple[Invariant, ...]] = {
    "Resource": (
        Invariant(
            "dom-2",
            lambda node: "contained" not in node or not any("contained" in each for each in node["contained"]),
            "A contained resource holds contained resources of its own. Put them all in the outer resource.",
        ),
    ),
    "Extension": (
        Invariant(
            "ext-1",
            lambda node: has_choice(node, "value") != ("extension" in node),
            "An extension has either a value or extensions of its own. Send exactly one of the two.",
        ),
    ),
    "Quantity": (UNIT_SYSTEM,),
    "Age": (UNIT_SYSTEM,),
    "Count": (UNIT_SYSTEM,),
    "Distance": (UNIT_SYSTEM,),
    "Duration": (UNIT_SYSTEM,),
    "Period": (
        Invariant(
            "per-1",
            lambda node: in_order(node.get("start"), node.get("end")),
            "The period ends before it starts. Correct the start or the end.",
        ),
    ),
    "Range": (Invariant("rng-2", low_to_high, "The low value is above the high value. Correct one of them."),),
    "Attachment": (
        Invariant("att-1", needs("data", "contentType"), "Data is attached without its type. Add contentType."),
        Invariant(
            "attachment-size",
            is_size_of_data,
            "The data attached is not as long as size says. Correct size or the data.",
        ),
    ),
    "ContactPoint": (
        Invariant(
            "cpt-2",
            needs("value", "system"),
            "A contact is given without its kind. Add system: phone, email or another.",
        ),
    ),
    "Timing.repeat": (
        Invariant("tim-1", needs("duration", "durationUnit"), "A duration needs its unit. Add durationUnit."),
        Invariant("tim-2", needs("period", "periodUnit"), "A period needs its unit. Add periodUnit."),
        Invariant("tim-4", lambda node: node.get("duration", 0) >= 0, "A duration cannot be below 0. Correct it."),
        Invariant("tim-5", lambda node: node.get("period", 0) >= 0, "A period cannot be below 0. Correct it."),
        Invariant("tim-6", needs("periodMax", "period"), "periodMax needs a period. Add it."),
        Invariant("tim-7", needs("durationMax", "duration"), "durationMax needs a duration. Add it."),
        Invariant("tim-8", needs("countMax", "count"), "countMax needs a count. Add it."),
        Invariant("tim-9", offset_has_meal, "An offset needs the event it counts from. Add when, such as AC or PC."),
        Invariant("tim-10", not_both("timeOfDay", "when"), "Send timeOfDay or when, not both."),
    ),
    "Patient.contact": (
        Invariant(
            "pat-1",
            any_of("name", "telecom", "address", "organization"),
            "A contact says nothing of who it is. Add a name, telecom, address or organisation.",
        ),
    ),
    "Organization": (
        Invariant("org-1", any_of("identifier", "name"), "An organisation needs an identifier or a name. Add one."),
        Invariant(
            "org-2", lambda node: home_use_absent(node, "address"), "An organisation has no home address. Change use."
        ),
        Invariant(
            "org-3", lambda node: home_use_absent(node, "telecom"), "An organisation has no home telecom. Change use."
        ),
    ),
    "AllergyIntolerance": (
        Invariant(
            "ait-1",
            lambda node: has(node, "clinicalStatus") or allergy_in_error(node),
            "An allergy needs a clinical status unless it was entered in error. Add clinicalStatus.",
        ),
        Invariant(
            "ait-2",
            lambda node: not (has(node, "clinicalStatus") and allergy_in_error(node)),
            "An allergy entered in error has no clinical status. Remove clinicalStatus.",
        ),
    ),
    "Condition": (
        Invariant(
            "con-4",
            ended_condition_not_active,
            "A condition that has ended must be inactive, resolved or in remission. Correct clinicalStatus.",
        ),
        Invariant(
            "con-5",
            lambda node: not (has(node, "clinicalStatus") and condition_in_error(node)),
            "A condition entered in error has no clinical status. Remove clinicalStatus.",
        ),
    ),
    "Condition.stage": (
        Invariant("con-1", any_of("summary", "assessment"), "A stage needs a summary or an assessment. Add one."),
    ),
    "Condition.evidence": (Invariant("con-2", any_of("code", "detail"), "Evidence needs a code or detail. Add one."),),
    "Observation": (
        Invariant(
            "obs-6",
            lambda node: "dataAbsentReason" not in node or not has_choice(node, "value"),
            "A value is given together with a reason for its absence. Remove one of them.",
        ),
        Invariant(
            "obs-7",
            component_codes_differ,
            "A component has the code of the whole observation, which has a value. Remove one of the two values.",
        ),
    ),
    "Observation.referenceRange": (
        Invariant("obs-3", any_of("low", "high", "text"), "A reference range is empty. Add low, high or text."),
    ),
    "Appointment": (
        Invariant(
            "app-2",
            lambda node: has(node, "start") == has(node, "end"),
            "An appointment has a start and an end, or neither. Add the other one.",
        ),
        Invariant(
            "app-3",
            lambda node: has(node, "start") or node.get("status") in ("proposed", "cancelled", "waitlist"),
            "Only a proposed, cancelled or waitlisted appointment has no time. Add start and end.",
        ),
        Invariant(
            "app-4",
            lambda node: not has(node, "cancelationReason") or node.get("status") in ("noshow", "cancelled"),
            "A reason for cancelling is given but the appointment is not cancelled. Correct the status.",
        ),
    ),
    "Appointment.participant": (
        Invariant("app-1", any_of("type", "actor"), "A participant needs a type or an actor. Add one."),
    ),
    "ServiceRequest": (
        Invariant("prr-1", needs("orderDetail", "code"), "Order details need a code that they refine. Add it."),
    ),
    "CarePlan.activity": (
        Invariant("cpl-3", not_both("detail", "reference"), "Send an activity's detail or its reference, not both."),
    ),
    "Composition.section": (
        Invariant("cmp-1", any_of("text", "entry", "section"), "A section is empty. Add text, entries or sections."),
        Invariant(
            "cmp-2", not_both("emptyReason", "entry"), "A section with entries is not empty. Remove emptyReason."
        ),
    ),
    "List": (
        Invariant("lst-1", not_both("emptyReason", "entry"), "A list with entries is not empty. Remove emptyReason."),
    ),
    "MedicationAdministration.dosage": (
        Invariant(
            "mad-1",
            lambda node: has(node, "dose") or has_choice(node, "rate"),
            "A dosage needs a dose or a rate. Add one.",
        ),
    ),
    "RiskAssessment.prediction": (
        Invariant(
            "ras-2",
            lambda node: node.get("probabilityDecimal", 0) <= 100,
            "A probability is at most 100 percent. Correct probabilityDecimal.",
        ),
    ),
    "Task": (
        Invariant(
            "inv-1",
            lambda node: in_order(node.get("authoredOn"), node.get("lastModified")),
            "A task was changed before it was written. Correct authoredOn or lastModified.",
        ),
    ),
    "Questionnaire.item": (
        Invariant(
            "que-12",
            lambda node: len(node.get("enableWhen", ())) < 2 or has(node, "enableBehavior"),
            "Several conditions enable this item. Add enableBehavior: all or any.",
        ),
    ),
    "CodeSystem": (
        Invariant(
            "supplement",
            lambda node: not has(node, "supplements") or node.get("content") == "supplement",
            "A code system that supplements another has the content supplement. Correct content.",
        ),
        Invariant(
            "property-code",
            lambda node: len({each["code"] for each in node.get("property", ())}) == len(node.get("property", ())),
            "Two properties have the same code. Keep one, or change a code.",
        ),
    ),
    "SearchParameter": (
        Invariant(
            "composite",
            lambda node: node.get("type") != "composite" or len(node.get("component", ())) > 1,
            "A composite search parameter has two components or more. Add them, or correct the type.",
        ),
    ),
    "StructureDefinition.differential": (
        Invariant(
            "sdf-20",
            lambda node: all("slicing" not in each for each in node["element"] if "." not in each["path"]),
            "The first element of a profile cannot be sliced. Remove its slicing.",
        ),
    ),
}
