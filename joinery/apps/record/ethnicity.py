"""The ethnic group that a practice, a trust or a council states of a person, read from the bytes that it sent.

It is no part of what a person's page shows or linkage compares: it is read to see whom linkage serves badly,
and for nothing else. The NHS's list of 2001 has no letter for Gypsies, Roma and Travellers; councils' lists have
words for them (UK Core's EthnicCategoryEngland; Client Level Data, release 2).
"""

from __future__ import annotations

import csv
from typing import Any

import orjson

from joinery.apps.record.fhir.xml import as_json

GROUPS = {
    "white_british": "White British",
    "traveller": "Gypsy, Roma or Traveller",
    "white_other": "White Irish or other White",
    "mixed": "Mixed or multiple groups",
    "asian": "Asian or Asian British",
    "black": "Black or Black British",
    "other": "Another group",
    "": "Not said",
}
# NHS data dictionary, ethnic category of 2001; Z (not stated) and 99 (not known) say nothing.
_LETTERS = {
    "A": "white_british", "B": "white_other", "C": "white_other", "D": "mixed", "E": "mixed", "F": "mixed",
    "G": "mixed", "H": "asian", "J": "asian", "K": "asian", "L": "asian", "R": "asian", "M": "black", "N": "black",
    "P": "black", "S": "other",
}  # fmt: skip
# Client Level Data, release 2: the beginnings of its words, the longer ones first.
_WORDS = {
    "white: english": "white_british", "white: gypsy": "traveller", "white: roma": "traveller",
    "white": "white_other", "mixed": "mixed", "asian": "asian", "black": "black", "other": "other",
}  # fmt: skip


def group_of(text: str) -> str:
    """The group of a letter of the NHS's list or of words of the councils' list; empty when neither says.

    >>> group_of("H"), group_of("White: Gypsy or Irish Traveller"), group_of("Z")
    ('asian', 'traveller', '')
    """
    key = text.strip()
    if len(key) == 1:
        return _LETTERS.get(key.upper(), "")
    return next((group for words, group in _WORDS.items() if key.lower().startswith(words)), "")


def group_said(feed: str, body: bytes, header: str) -> str:
    """The group that a council's row or a FHIR Patient states; empty when it states none that we can read.

    `header` is the first line of the row's file.
    """
    if feed == "fhir":
        return group_of(_in_patient(orjson.loads(as_json(body))))
    columns = header.strip().lower().split(",")
    cells = next(csv.reader([body.decode("utf-8", "replace")]), [])
    return group_of(dict(zip(columns, cells, strict=False)).get("ethnicity", ""))


def _in_patient(said: dict[str, Any]) -> str:
    """The code of UK Core's extension on a FHIR Patient, which the validator has let in."""
    for extension in said.get("extension", ()):
        if extension.get("url", "").endswith("EthnicCategory"):
            codings = extension.get("valueCodeableConcept", {}).get("coding", ())
            return next((str(coding["code"]) for coding in codings if "code" in coding), "")
    return ""
