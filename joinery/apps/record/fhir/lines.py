"""From a validated FHIR resource to a row of intake: whose it is, the line it makes, what finds it.

Which elements make a line is said in `definitions/feeds/fhir.toml`, not here.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import msgspec

from joinery.apps.record.care import care_rules, care_said
from joinery.apps.record.fhir.definition import EntryDefinition, definition
from joinery.apps.record.fhir.files import last_part, short_id
from joinery.apps.record.fhir.xml import as_json
from joinery.apps.record.rows import DetailsRow, EntryRow, Moment, Row, capital, end_of, moment_of
from joinery.calc.units import parse_nhs_number

Resource = dict[str, Any]
MOST_DECIMALS = 4
_exact = msgspec.json.Decoder(float_hook=Decimal)


class _Quantity(msgspec.Struct):
    value: msgspec.Raw = msgspec.Raw()


class _Measured(msgspec.Struct):
    valueQuantity: _Quantity | None = None  # noqa: N815 (FHIR's own spelling)


_measured = msgspec.json.Decoder(_Measured)
_MEASURES = ("component", "valueRatio", "valueRange", "valueSampledData")
# How the key of a resource without any id goes on.
NO_ID = "digest-"


def row_of(resource: Resource, body: bytes, position: int, *, full_url: str, names: dict[str, str]) -> Row:
    """A valid resource as a row. `names` is its Bundle's table from full url to `Type/id`."""
    kind = resource["resourceType"]
    local = resource.get("id") or last_part(full_url)
    key = f"{kind}/{short_id(local) if local else NO_ID + hashlib.sha256(body).hexdigest()[:32]}"
    updated = moment_of((resource.get("meta") or {}).get("lastUpdated", ""))
    row = Row(position, body, key, stated_at=updated.at if updated else None)
    row.index = _index(resource, names)
    if rule := care_rules("fhir").get(kind):
        said = {element: _text(resource, element) for element in rule.columns}
        row.care = care_said(rule, said, row.stated_at)
    if kind == "Patient":
        row.local_id = key
        row.details = _details(resource)
        return row
    row.local_id = whose(resource, names)
    made = definition().entries.get(kind)
    if row.local_id and made is not None:
        exact = _with_decimals(resource, body) if kind == "Observation" else resource
        row.entry = _entry(exact, kind, made)
    return row


def _text(resource: Resource, element: str) -> str:
    """The first value of an element as text; empty when there is none."""
    found = values(resource, tuple(element.split(".")))
    return str(found[0]) if found else ""


def line_of(body: bytes) -> EntryRow | None:
    """The line that a resource makes, from its bytes as they were taken; None when it makes none."""
    resource = msgspec.json.decode(as_json(body))
    kind = resource["resourceType"]
    made = definition().entries.get(kind)
    if made is None:
        return None
    return _entry(_with_decimals(resource, body) if kind == "Observation" else resource, kind, made)


def _with_decimals(observation: Resource, body: bytes) -> Resource:
    """An observation with its decimals as they were sent: only here do they reach the page.

    Most hold one quantity, whose number is cut out of the bytes; the few others are read again.
    """
    quantity = observation.get("valueQuantity")
    if quantity is None:
        return _exact.decode(as_json(body)) if any(name in observation for name in _MEASURES) else observation
    if not isinstance(quantity.get("value"), float):
        return observation
    measured = _measured.decode(as_json(body)).valueQuantity or _Quantity()
    return observation | {"valueQuantity": quantity | {"value": Decimal(bytes(measured.value).decode())}}


# -- references -----------------------------------------------------------------------------------


def reference_key(reference: Any, names: dict[str, str]) -> str:
    """`Type/id` that a Reference points to, through the Bundle's names; empty when it cannot be told."""
    url = reference.get("reference", "") if isinstance(reference, dict) else ""
    if not isinstance(url, str):
        return ""
    if url in names:
        return names[url]
    if not url or url.startswith("#") or "?" in url:
        return ""
    parts = url.split("/_history/")[0].split("/")
    if len(parts) >= 2:
        return f"{parts[-2][:64]}/{short_id(parts[-1])}"
    return ""


def whose(resource: Resource, names: dict[str, str]) -> str:
    """`Patient/id` of the person a resource is about, valid or not; empty when it cannot be told."""
    for element in ("subject", "patient", "for", "beneficiary", "individual"):
        key = reference_key(resource.get(element), names)
        if key.startswith("Patient/"):
            return key
    return ""


def _index(resource: Resource, names: dict[str, str]) -> list[tuple[str, str]]:
    """Values to find the version by, each once: identifiers, codes, the visit it belongs to."""
    found: dict[tuple[str, str], None] = {}
    for identifier in values(resource, ("identifier",)):
        if identifier.get("value"):
            found[("identifier", f"{identifier.get('system', '')}|{identifier['value']}"[:400])] = None
    code = resource.get("code")
    if isinstance(code, dict):
        for coding in code.get("coding") or ():
            if coding.get("code"):
                found[("code", f"{coding.get('system', '')}|{coding['code']}"[:400])] = None
    visit = reference_key(resource.get("encounter"), names)
    if visit:
        found[("encounter", visit)] = None
    return list(found)


# -- people ---------------------------------------------------------------------------------------


def _details(patient: Resource) -> DetailsRow:
    number, status = _nhs_number(patient)
    name = _name(patient, ("official", "usual", ""))
    nick = _name(patient, ("nickname",), strict=True)
    born = moment_of(patient.get("birthDate", ""))
    died = moment_of(patient.get("deceasedDateTime", ""))
    return DetailsRow(
        nhs_number=number,
        nhs_number_status=status,
        family_name=name.get("family", "")[:200],
        given_name=" ".join(name.get("given") or ())[:200],
        title=" ".join(name.get("prefix") or ())[:40],
        preferred_name=(" ".join(nick.get("given") or ()) or nick.get("text", ""))[:200],
        # A year alone is no date of birth to compare or to greet somebody by.
        birth_date=born.at.date() if born and born.precision == "day" else None,
        death_date=died.at.date() if died and died.precision in ("day", "minute") else None,
        dead=bool(patient.get("deceasedBoolean")) or "deceasedDateTime" in patient,
        gender=patient.get("gender", ""),
        address=_address(patient),
        restricted=_sensitivity(patient) == "restricted",
    )


def _nhs_number(patient: Resource) -> tuple[str, str]:
    for identifier in patient.get("identifier") or ():
        if identifier.get("system") != definition().nhs_number_system:
            continue
        number = parse_nhs_number(identifier.get("value") or "")
        if number is None:
            continue
        for extension in identifier.get("extension") or ():
            if "NHSNumberVerificationStatus" in extension.get("url", ""):
                found = codes(extension.get("valueCodeableConcept"))
                return number, min(found, default="")[:2]
        return number, ""
    return "", ""


def _name(patient: Resource, uses: tuple[str, ...], *, strict: bool = False) -> Resource:
    names: list[Resource] = [n for n in patient.get("name") or () if not (n.get("period") or {}).get("end")]
    for use in uses:
        for name in names:
            if name.get("use", "") == use:
                return name
    return names[0] if names and not strict else {}


def _address(patient: Resource) -> tuple[str, ...]:
    addresses = [a for a in patient.get("address") or () if a.get("use") != "old"]
    home = next((a for a in addresses if a.get("use") == "home"), addresses[0] if addresses else {})
    lines = [*(home.get("line") or ()), home.get("city"), home.get("district"), home.get("postalCode")]
    return tuple(line for line in lines if line) or ((home["text"],) if home.get("text") else ())


# -- lines of the timeline --------------------------------------------------------------------------


def _entry(resource: Resource, kind: str, made: EntryDefinition) -> EntryRow:
    status = resource.get("status")
    gone = definition().gone_status
    if status in gone:
        return EntryRow()
    if "verificationStatus" in resource and codes(resource["verificationStatus"]) & (gone | {"refuted"}):
        return EntryRow()
    at = _first_moment(resource, made.at)
    until = _first_moment(resource, made.until)
    title = next(filter(None, (words(values(resource, path)) for path in made.title)), kind)
    unsaid = definition().unsaid
    detail = dict.fromkeys(d for path in made.detail if (d := words(values(resource, path))).lower() not in unsaid)
    for needless in ("", title):
        detail.pop(needless, None)
    return EntryRow(
        moment=at,
        until_at=end_of(until),
        kind=made.kind,
        title=capital(title)[:300],
        detail=". ".join(capital(d) for d in detail),
        banner=_banner(resource, kind),
        sensitivity=_sensitivity(resource),
    )


def _banner(resource: Resource, kind: str) -> str:
    """What the resource says at the top of the page (`record/banners.py`); empty when it says nothing there."""
    if kind == "List":
        return _list_banner(resource)
    made = definition().banners.get(kind)
    # A medicine that must not be given is no medicine that is taken.
    if made is None or resource.get("doNotPerform") is True:
        return ""
    if {resource.get("status"), resource.get("intent")} & made.over or (
        "clinicalStatus" in resource and codes(resource["clinicalStatus"]) & made.over
    ):
        return ""
    said = codes(resource.get(made.element)) if made.codes else set()
    return next((name for code, name in made.codes.items() if code in said), made.name)


def _list_banner(sent: Resource) -> str:
    """What a source says of a whole list. Kept back outweighs partial, and partial outweighs empty."""
    code, said = codes(sent.get("code")), definition()
    made = next((each for each in said.lists if each.code in code), None)
    if made is None or sent.get("status") != "current":
        return ""
    reason = codes(sent.get("emptyReason"))
    reasons = reason | {each.get("valueCode") for each in sent.get("extension") or ()}
    if reasons & said.list_held:
        return made.held
    if reasons & said.list_part:
        return made.part
    return made.empty if sent.get("emptyReason") and not reason & said.list_unsaid else ""


def _sensitivity(resource: Resource) -> str:
    """Why not everybody may read it, by its security labels; empty when anybody may."""
    if "meta" not in resource:
        return ""
    labels = {label.get("code") for label in (resource["meta"] or {}).get("security") or ()}
    return next((name for code, name in definition().sensitive.items() if code in labels), "") if labels else ""


def _first_moment(resource: Resource, paths: tuple[tuple[str, ...], ...]) -> Moment | None:
    for path in paths:
        for value in values(resource, path):
            if isinstance(value, str) and (moment := moment_of(value)):
                return moment
    return None


def values(node: Any, path: tuple[str, ...]) -> list[Any]:
    """Every value at a path; `value[x]` takes whichever type was sent, lists are walked through.

    >>> values({"valueString": "warm"}, ("value[x]",))
    ['warm']
    """
    if len(path) == 1 and node.__class__ is dict and path[0] in node:
        # Most paths are one name and most elements one value; this runs a dozen times for each line.
        value = node[path[0]]
        return value if value.__class__ is list else [] if value is None else [value]
    found = [node]
    for name in path:
        stem = name.removesuffix("[x]")
        step: list[Any] = []
        for each in found:
            if not isinstance(each, dict):
                continue
            if stem != name:
                step += [v for k, v in each.items() if k.startswith(stem) and k != stem]
            elif isinstance(value := each.get(name), list):
                step += value
            elif value is not None:
                step.append(value)
        if not step:
            return step
        found = step
    return found


def codes(concept: Any) -> set[str]:
    """The codes of a CodeableConcept (or of a list of them)."""
    concepts = concept if isinstance(concept, list) else [concept]
    return {
        coding.get("code", "") for each in concepts if isinstance(each, dict) for coding in each.get("coding") or ()
    }


def words(found: list[Any]) -> str:
    """Values in words, joined by commas: what a reader would say of a code, a quantity, a period."""
    return ", ".join([said for value in found if (said := _said(value))])


def _said(value: Any) -> str:
    if isinstance(value, str):
        moment = moment_of(value) if value[:4].isdigit() and len(value) >= 10 else None
        return f"{moment.at.day} {moment.at:%B %Y}" if moment else value.strip()
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if not isinstance(value, dict):
        return "" if value is None else str(value)
    if "value" in value and isinstance(value["value"], int | float | Decimal):
        unit = value.get("unit") or value.get("code") or ""
        return f"{value.get('comparator', '')}{_number(value['value'])} {unit}".strip()
    if isinstance(value.get("code"), dict):  # a component: what was measured, and the measurement
        return f"{_said(value['code'])} {words(values(value, ('value[x]',)))}".strip()
    for name in ("text", "display"):
        if isinstance(value.get(name), str) and value[name].strip():
            return str(value[name]).strip()
    for coding in value.get("coding") or ():
        if coding.get("display") or coding.get("code"):
            return str(coding.get("display") or coding.get("code")).strip()
    if isinstance(value.get("code"), str):
        return str(value["code"])
    if "start" in value or "end" in value:
        return " to ".join(filter(None, (_said(value.get("start")), _said(value.get("end")))))
    if "numerator" in value or "low" in value:
        a, b = ("numerator", "denominator") if "numerator" in value else ("low", "high")
        return " to ".join(filter(None, (_said(value.get(a)), _said(value.get(b)))))
    return ""


def _number(value: float | Decimal) -> str:
    """A measured number as it was sent (72.50 stays 72.50); a long tail of a computed one is rounded."""
    text = str(value)
    return f"{value:.2f}" if len(text.partition(".")[2]) > MOST_DECIMALS else text
