"""The way into record: taking what was sent, and opening a view of a person."""

from joinery.apps.record.actions.comparing import REVIEW_REFUSALS, open_pair, open_queue
from joinery.apps.record.actions.correcting import (
    MENDING_REFUSALS,
    Corrected,
    StillWrong,
    correct,
    correct_cells,
    open_quarantined,
    open_returned,
    retake,
    set_aside,
)
from joinery.apps.record.actions.filing import Filing, file_resources
from joinery.apps.record.actions.intake import Taken, open_source, take_file
from joinery.apps.record.actions.merging import unmerge
from joinery.apps.record.actions.messages import bundle_issues, open_filed, take_bundle
from joinery.apps.record.actions.opting_out import OptOuts, take_opt_outs
from joinery.apps.record.actions.overriding import OVERRIDE_HOURS, OVERRIDE_REASONS, Overridden, override_record
from joinery.apps.record.actions.owning import list_own_people
from joinery.apps.record.actions.passing import due, pass_relationships
from joinery.apps.record.actions.reading import open_rows
from joinery.apps.record.actions.receiving import ACCEPTED, REFUSED, TRY_AGAIN, Arrived, Receiver
from joinery.apps.record.actions.rereading import reread_lines
from joinery.apps.record.actions.rereading_care import reread_care
from joinery.apps.record.actions.restricting import (
    end_own_access,
    end_restriction,
    give_own_access,
    grant_reading,
    restrict,
)
from joinery.apps.record.actions.reviewing import answer_pair, join_people, split_records, withdraw_decision
from joinery.apps.record.actions.variants import say_variant
from joinery.apps.record.actions.viewing import Criteria, Moved, NotOpened, list_people, open_record, search_people
from joinery.apps.record.actions.whole import LinkRun, link_missing, run_linking
from joinery.calc.linkage.review import ANSWERS

__all__ = [
    "ANSWERS",
    "answer_pair",
    "LinkRun",
    "join_people",
    "link_missing",
    "run_linking",
    "split_records",
    "withdraw_decision",
    "MENDING_REFUSALS",
    "ACCEPTED",
    "REFUSED",
    "TRY_AGAIN",
    "Arrived",
    "Criteria",
    "Filing",
    "bundle_issues",
    "open_filed",
    "take_bundle",
    "file_resources",
    "Moved",
    "NotOpened",
    "OVERRIDE_HOURS",
    "OVERRIDE_REASONS",
    "OptOuts",
    "Overridden",
    "end_own_access",
    "end_restriction",
    "give_own_access",
    "grant_reading",
    "override_record",
    "restrict",
    "take_opt_outs",
    "REVIEW_REFUSALS",
    "Receiver",
    "Taken",
    "due",
    "list_own_people",
    "list_people",
    "open_pair",
    "open_queue",
    "open_record",
    "open_source",
    "pass_relationships",
    "reread_care",
    "reread_lines",
    "say_variant",
    "search_people",
    "take_file",
    "unmerge",
    "Corrected",
    "StillWrong",
    "correct",
    "correct_cells",
    "open_quarantined",
    "open_returned",
    "open_rows",
    "retake",
    "set_aside",
]
