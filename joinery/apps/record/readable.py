"""Whether a viewer reads a thing of a person's record: by what kind it is, who wrote it, and what was granted."""

from __future__ import annotations

from joinery.apps.base.access_log import Viewing
from joinery.apps.record.people import Known
from joinery.calc.access import may_read


def readable(viewing: Viewing, known: Known, sensitivity: str, item_id: int, *, placed: bool = True) -> bool:
    """Whether the viewer reads a thing that a source record carries; `placed`: with what tells where the person is."""
    if item_id in viewing.kept_back or (placed and tells_place(viewing, known)):
        return False
    return may_read(sensitivity, known.organisation, viewing.decision, item_id in viewing.granted)


def tells_place(viewing: Viewing, known: Known) -> bool:
    """Whether to say who carries this record would tell the viewer where somebody is who must not be found."""
    return known.hides_place and not may_read("address", known.organisation, viewing.decision)
