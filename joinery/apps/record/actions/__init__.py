"""The way into record: taking what was sent, and opening a view of a person."""

from joinery.apps.record.actions.intake import Taken, take_file
from joinery.apps.record.actions.viewing import Criteria, open_record, search_people

__all__ = ["Criteria", "Taken", "open_record", "search_people", "take_file"]
