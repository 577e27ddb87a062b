"""The way out of care: what the place offers, what was asked of whom, whom it waits for, and who is around a person."""

from joinery.apps.care.facts.deliveries import Undelivered, undelivered
from joinery.apps.care.facts.meetings import (
    ActionAsked,
    Listed,
    MeetingOf,
    action_words,
    actions_waiting,
    in_team,
    listed_people,
    meeting,
    meeting_action,
    meeting_list,
    meeting_of,
    meetings,
)
from joinery.apps.care.facts.referrals import (
    Note,
    PersonReferral,
    Story,
    StoryStep,
    code_of_outside,
    referral,
    referral_story,
    referrals_of,
)
from joinery.apps.care.facts.services import home_area, rules, service, services, services_for
from joinery.apps.care.facts.team import (
    PARTS,
    CareTeam,
    PartHeld,
    TeamAround,
    care_team,
    offered_to,
    parts_held,
    team_part,
    teams_around,
)
from joinery.apps.care.facts.waited_for import waited_for
from joinery.apps.care.facts.waits import Wait, WaitColumns, service_waits, wait_columns, waits
from joinery.apps.care.facts.work import Load, Team, Work, my_work, team_work, waiting_count
from joinery.apps.care.owners import Owner
from joinery.apps.care.referrals import Referral
from joinery.apps.care.rules import Rules, Urgency
from joinery.apps.care.services import Member, ServiceNow
from joinery.apps.care.states import SENDER, SERVICE, STATES, STEPS, Step

__all__ = [
    "PARTS",
    "ActionAsked",
    "CareTeam",
    "Listed",
    "Load",
    "MeetingOf",
    "Member",
    "Note",
    "Owner",
    "PartHeld",
    "PersonReferral",
    "Referral",
    "Rules",
    "SENDER",
    "SERVICE",
    "STATES",
    "STEPS",
    "ServiceNow",
    "Step",
    "Story",
    "StoryStep",
    "Team",
    "TeamAround",
    "Undelivered",
    "Urgency",
    "Wait",
    "WaitColumns",
    "Work",
    "action_words",
    "actions_waiting",
    "care_team",
    "code_of_outside",
    "home_area",
    "in_team",
    "listed_people",
    "meeting",
    "meeting_action",
    "meeting_list",
    "meeting_of",
    "meetings",
    "my_work",
    "offered_to",
    "parts_held",
    "referral",
    "undelivered",
    "referral_story",
    "referrals_of",
    "rules",
    "service",
    "service_waits",
    "services",
    "services_for",
    "team_part",
    "team_work",
    "teams_around",
    "wait_columns",
    "waited_for",
    "waiting_count",
    "waits",
]
