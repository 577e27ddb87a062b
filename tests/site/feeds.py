"""Small files of both feeds, as a service would send them."""

from __future__ import annotations

import json
from pathlib import Path

PEOPLE_HEADER = "person_id,nhs_number,family_name,given_names,birth_date,source_id,updated_at,deleted"


def people_file(path: Path, count: int, first: int = 1) -> Path:
    """A council's person file with this many people."""
    rows = [f"P{i},,Okonkwo{i},Ifeoma,1941-03-03,P{i},2026-03-02T09:00:00Z,0" for i in range(first, first + count)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([PEOPLE_HEADER, *rows]) + "\n")
    return path


def patient_file(path: Path, nhs_number: str = "9990001111") -> Path:
    """A FHIR Bundle of one patient."""
    patient = {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": nhs_number}],
        "name": [{"family": "Okonkwo", "given": ["Ifeoma"]}],
        "birthDate": "1941-03-03",
    }
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}]}))
    return path
