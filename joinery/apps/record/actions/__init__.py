"""The way into record: taking what was sent, and opening a view of a person."""

from joinery.apps.record.actions.intake import Taken, take_file
from joinery.apps.record.actions.passing import due, pass_relationships
from joinery.apps.record.actions.viewing import Criteria, open_record, search_people

__all__ = ["Criteria", "Taken", "due", "open_record", "pass_relationships", "search_people", "take_file"]
