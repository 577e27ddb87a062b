"""Meetings of multidisciplinary teams: the next ones, the list of one, what was decided, and who does what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.action import Refused
from joinery.apps.care import actions, facts
from joinery.apps.record import facts as record
from joinery.site.care.naming import list_of, names_of
from joinery.site.care.typed import time_of_day
from joinery.site.context import Request
from joinery.site.feeds.glance import within
from joinery.site.jinja import LONDON, moment, url
from joinery.site.person import opened
from joinery.site.place.forms import Form, date_fields
from joinery.site.place.looking import acting

_WRONG = {each: each for each in ("words", "user", "due_date", "service", "begins")}


def index(request: Request) -> HttpResponse:
    """The meetings of the user's teams, and planning one."""
    today = request.at.date()
    teams = {each.code: each.name for each in facts.services(today) if each.has(request.user.pk)}
    only = next(iter(teams)) if len(teams) == 1 else ""
    form = Form.of(request.POST, ("service", *date_fields("on"), "time"), service=only, time="10am")
    if request.method == "POST" and (meeting_id := _planned(form, teams, request)):
        return redirect(url("care:meeting", meeting_id=meeting_id))
    coming, before = facts.meetings(request.user.pk, request.at)
    context = {"coming": coming, "before": before, "teams": teams, "form": form}
    return render(request, "care/meetings.jinja", context)


def page(request: Request, meeting_id: int) -> HttpResponse:
    """One meeting: each person on its list, why, what was decided and what is to be done. Only for the team."""
    found = facts.meeting(within(meeting_id), request.at)
    if found is None:
        raise Http404
    service = facts.service(found.service, request.at.date())
    if service is None or not service.has(request.user.pk):
        sentence = "Only the team itself sees its meetings."
        return render(request, "care/refused.jinja", {"sentence": sentence}, status=403)
    form = Form.of(request.POST, ("verb", "line", "words", "user", *date_fields("due")))
    members = {str(each.user_id): each.name for each in service.members if each.counts}
    if request.method == "POST" and _acted(form, members, request):
        return redirect(url("care:meeting", meeting_id=found.meeting_id))
    viewing = list_of(request, facts.listed_people(found.meeting_id))
    listed = facts.meeting_list(viewing, found.meeting_id)
    context: dict[str, Any] = {
        "meeting": found,
        "listed": listed,
        "names": names_of(viewing),
        "hidden": found.people - len(listed),
        "members": members,
        "form": form,
    }
    return render(request, "care/meeting.jinja", context)


def add(request: Request, person_id: str) -> HttpResponse:
    """Put a person on the list of a coming meeting, from their record."""
    viewing = opened(request, person_id, "team")
    if isinstance(viewing, HttpResponse):
        return viewing
    coming, _ = facts.meetings(request.user.pk, request.at)
    choices = {str(each.meeting_id): f"{each.service_name}, {_when(each.begins_at)}" for each in coming}
    form = Form.of(request.POST, ("meeting", "words"), meeting=next(iter(choices), ""))
    if request.method == "POST" and _listed(form, choices, viewing, request):
        return redirect(url("care:meeting", meeting_id=form["meeting"]))
    known = record.records(viewing)
    context = {"banner": record.banner(viewing, known), "choices": choices, "form": form}
    return render(request, "care/to_meeting.jinja", context)


def done(request: Request, action_id: int) -> HttpResponse:
    """Say that something a meeting asked for is done, and what came of it."""
    found = facts.meeting_action(within(action_id), request.at)
    if found is None:
        raise Http404
    if found.user_id != request.user.pk and not facts.in_team(found.service_id, request.user.pk, request.at):
        sentence = "Only the team itself sees what its meetings asked for."
        return render(request, "care/refused.jinja", {"sentence": sentence}, status=403)
    viewing = list_of(request, [found.person_id])
    form = Form.of(request.POST, ("words",))
    if request.method == "POST":
        try:
            actions.finish_action(action_id=found.action_id, words=form["words"], **acting(request))
            return redirect(url("care:meeting", meeting_id=found.meeting_id))
        except Refused as refused:
            form.refused(refused, {})
    context = {
        "asked": found,
        "words": facts.action_words(viewing, [found]).get(found.action_id, ""),
        "person": names_of(viewing).get(found.person_id),
        "form": form,
    }
    return render(request, "care/done.jinja", context)


def _planned(form: Form, teams: dict[str, str], request: Request) -> int:
    """Plan the meeting that the form says; 0 when it cannot be, which is noted in the form."""
    form.chosen("service", teams, "Choose the team")
    day = form.day("on", "the day of the meeting")
    hour = time_of_day(form["time"])
    if hour is None:
        form.wrong("time", "Enter the time like 2:30pm, or 14:30")
    if form.errors or day is None or hour is None:
        return 0
    begins_at = datetime.combine(day, hour, LONDON)
    try:
        return actions.plan_meeting(service=form["service"], begins_at=begins_at, **acting(request))
    except Refused as refused:
        form.refused(refused, {"already": "time"} | _WRONG)
        return 0


def _acted(form: Form, members: dict[str, str], request: Request) -> bool:
    """Keep a decision, or ask somebody to do something; notes in the form why not."""
    line = int(form["line"]) if form["line"].isascii() and form["line"].isdecimal() and len(form["line"]) < 19 else 0
    due = form.day("due", "the day by which it is to be done") if form["verb"] == "ask" else None
    if form["user"]:
        form.chosen("user", members, "Choose somebody of the team")
    if form.errors:
        return False
    try:
        if due is not None:
            user_id = int(form["user"]) if form["user"] else None
            actions.ask_member(listed_id=line, words=form["words"], due_date=due, user_id=user_id, **acting(request))
        else:
            actions.decide(listed_id=line, words=form["words"], **acting(request))
    except Refused as refused:
        form.refused(refused, {"due_date": "due_day"} | _WRONG)
        return False
    return True


def _listed(form: Form, choices: dict[str, str], viewing: Viewing, request: Request) -> bool:
    form.chosen("meeting", choices, "Choose a meeting")
    if form.errors:
        return False
    try:
        actions.list_person(
            meeting_id=int(form["meeting"]), words=form["words"],
            record_id=record.founding_records([viewing.person_id])[viewing.person_id], **acting(request),
        )  # fmt: skip
    except Refused as refused:
        form.refused(refused, {"words": "words", "already": "meeting"})
        return False
    return True


def _when(at: datetime) -> str:
    return f"{at.astimezone(LONDON):%A} {moment(at)}"
