"""What a message says of allergies (AL1), for `calc.adt_people` to put together. Source: ITK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from joinery.apps.record.adt.definition import definition
from joinery.apps.record.adt.er7 import NULL, Segment, time_of
from joinery.calc.adt import Allergy

if TYPE_CHECKING:
    from joinery.apps.record.adt.message import Reading

Stated = dict[str, Allergy]
_MOST_TEXT = 200
# As much of a day as was given. Source: HL7's form of a time, YYYY[MM[DD]].
_DAYS = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d", "minute": "%Y-%m-%d"}


def allergies_said(reading: Reading) -> tuple[Stated | None, bool]:
    """The allergies of a message by their codes, and whether it deletes those stated before it. None where
    its event speaks of none. One without code or text is an issue: it must not be lost unseen.
    """
    segments = reading.message.by_name.get("AL1", [])
    if not segments and reading.event not in definition().states_allergies:
        return None, False
    said: Stated = {}
    forgets = False
    for segment in segments:
        if segment.raw(3) == NULL:
            forgets = True
        elif text := segment.text(3, 2) or segment.text(3, 5) or segment.text(3):
            said[_key(segment, text)] = _allergy(segment, text, reading)
        else:
            reading.wrong("AL1-3", "required", segment.raw(3), "AL1-3 names no allergy. Fill in its code or its text.")
    return said, forgets


def _key(segment: Segment, text: str) -> str:
    """By code where there is one, for the text of a code may be reworded."""
    code = segment.text(3) if segment.text(3, 2) else ""
    return f"{segment.text(3, 3) or ''}|{code or text.casefold()}"[:_MOST_TEXT]


def _allergy(segment: Segment, text: str, reading: Reading) -> Allergy:
    words = definition()
    reactions = [t for r in segment.repeats(5) if (t := segment.component(r, 1))]
    kind, severity = (
        table.get(segment.text(n) or "", "") for table, n in ((words.allergens, 2), (words.severities, 4))
    )
    parts = [
        ", ".join(reactions).capitalize(),
        f"Severity: {severity}" if severity else "",
        f"Kind: {kind}" if kind else "",
    ]
    # A day that cannot be read is left out: it must not keep the allergy from those who need to know.
    noted = time_of(segment.text(6) or "", reading.profile.time_zone)
    day = noted.at.astimezone(reading.profile.time_zone) if noted else None
    return Allergy(
        text=text[:_MOST_TEXT],
        detail=". ".join(filter(None, parts))[:_MOST_TEXT],
        noted=day.strftime(_DAYS[noted.precision]) if noted and day else "",
        none=(segment.text(3) or "").upper() in words.no_known_allergy,
    )
