"""The way into care: services, referrals and their steps, messages, teams and meetings."""

from joinery.apps.care.actions.delivering import note_delivery
from joinery.apps.care.actions.involving import due, involve_batch, reach
from joinery.apps.care.actions.meetings import ask_member, decide, finish_action, list_person, plan_meeting
from joinery.apps.care.actions.notes import see_notes, write_note
from joinery.apps.care.actions.referring import (
    MOST_AT_ONCE,
    MOST_REASON,
    MOST_WORDS,
    name_owner,
    refer,
    take_step,
    take_steps,
)
from joinery.apps.care.actions.services import add_member, change_service, close_service, end_member, offer_service
from joinery.apps.care.actions.team import add_part, answer_part, end_part

__all__ = [
    "MOST_AT_ONCE",
    "MOST_REASON",
    "MOST_WORDS",
    "add_member",
    "add_part",
    "answer_part",
    "ask_member",
    "change_service",
    "close_service",
    "decide",
    "due",
    "end_member",
    "end_part",
    "finish_action",
    "involve_batch",
    "list_person",
    "name_owner",
    "note_delivery",
    "offer_service",
    "plan_meeting",
    "reach",
    "refer",
    "see_notes",
    "take_step",
    "take_steps",
    "write_note",
]
