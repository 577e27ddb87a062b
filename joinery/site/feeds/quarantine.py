"""Rows that could not be taken: the list, one row with its reasons, correcting it, giving them back.

A row may be about anybody: whoever opens one is decided on and logged first.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render

from joinery.apps.base.action import Refused
from joinery.apps.place import facts as place
from joinery.apps.record import actions
from joinery.apps.record import facts as record
from joinery.calc.access import may_do
from joinery.site.context import Request, standing_of
from joinery.site.feeds.glance import RULES, cursor, may_see_rows, within
from joinery.site.jinja import url
from joinery.site.place.looking import acting

# Longer texts are for their sender to mend: no form holds them well.
MOST_TEXT_CHARACTERS = 100_000
OUTCOMES = {
    "taken": "The corrected row was taken.",
    "unchanged": "The corrected row says what was known already, so nothing changed.",
    "superseded": "The corrected row is older than what is held, so it is kept and shows nowhere.",
}


def index(request: Request) -> HttpResponse:
    """Open rows of the sources whose rows the user may see, of one source or one rule where that is asked for."""
    decision = may_do(standing_of(request).posts, "own_feeds")
    if not decision.allowed:
        return refused(request, actions.MENDING_REFUSALS[decision.reason])
    sources = record.feed_sources(request.at)
    mine = may_see_rows(request, sources)
    shown = {each.id: each for each in sources if each.id in mine}
    wanted = request.GET.get("source", "")
    chosen = [each for each in shown if str(each) == wanted] if wanted else list(shown)
    rule = request.GET.get("rule", "")[:60].replace("\0", "")
    context = {
        "page": record.open_rows(tuple(chosen), rule, cursor(request)),
        "sources": shown,
        "choices": {str(each.id): f"{each.definition.title}, {each.organisation_name}" for each in shown.values()},
        "source": wanted if chosen else "",
        "rule_choices": {each: RULES.get(each, each) for each in record.rules_broken(tuple(shown))},
        "rule": rule,
        "paged": "before" in request.GET,
    }
    return render(request, "record/quarantine.jinja", context)


def row(request: Request, quarantined_id: int) -> HttpResponse:
    """One row with its reasons: to correct and take again, or to set aside."""
    posts = standing_of(request).posts
    try:
        viewing = actions.open_quarantined(quarantined_id=within(quarantined_id), posts=posts, **acting(request))
    except Refused as refusal:
        return _refusal(request, refusal)
    found = record.quarantined_row(viewing, quarantined_id)
    if found is None:
        raise Http404
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            _act(request, found)
            return redirect(url("feeds:row", quarantined_id=str(quarantined_id)))
        except actions.StillWrong as wrong:
            errors = [_at_field(found, issue.path, issue.message) for issue in wrong.issues]
        except Refused as refusal:
            errors = [{"field": "reason" if refusal.code == "reason" else "", "message": refusal.message}]
    return render(request, "record/quarantine_row.jinja", _context(request, found, errors))


def returned(request: Request, submission_id: int) -> HttpResponse | StreamingHttpResponse:
    """The quarantined rows of a file, to mend and send again."""
    posts = standing_of(request).posts
    try:
        viewing = actions.open_returned(submission_id=within(submission_id), posts=posts, **acting(request))
    except Refused as refusal:
        return _refusal(request, refusal)
    answer = StreamingHttpResponse(record.returned_rows(viewing, submission_id), content_type="text/csv")
    answer["Content-Disposition"] = f'attachment; filename="file-{submission_id}-returned.csv"'
    return answer


def refused(request: Request, sentence: str) -> HttpResponse:
    """What somebody is told who may not see or send rows."""
    return render(request, "record/feeds_refused.jinja", {"sentence": sentence}, status=403)


def _refusal(request: Request, refusal: Refused) -> HttpResponse:
    if refusal.code == "absent":
        raise Http404
    return refused(request, refusal.message)


def _act(request: Request, found: record.QuarantinedRow) -> None:
    """Do what the form says. Raises Refused."""
    which = acting(request) | {"quarantined_id": found.id}
    if request.POST.get("do") == "set aside":
        actions.set_aside(reason=request.POST.get("reason", "").replace("\0", ""), **which)
    elif found.cells:
        actions.correct_cells(cells=[cell["value"] for cell in _typed_cells(request, found)], **which)
    else:
        # A browser parts lines as HTTP wants it; a message of a hospital parts its segments by carriage returns.
        end = "\r" if found.definition.feed == "adt" else "\n"
        text = _lines(request.POST.get("text", ""))
        actions.correct(body=text.replace("\n", end).encode("utf-8", "replace"), **which)


def _context(request: Request, found: record.QuarantinedRow, errors: list[dict[str, str]]) -> dict[str, Any]:
    names = place.actor_names([found.made_by]) if found.made_by else {}
    sender = place.briefs([found.organisation_id], place.as_at(request.at.date()))[found.organisation_id]
    cells = _typed_cells(request, found)
    broken = {cell["field"] for cell in cells if cell["messages"]} | {error["field"] for error in errors}
    return {
        "row": found,
        "sender": sender,
        "wrong": [cell for cell in cells if cell["field"] in broken],
        "others": [cell for cell in cells if cell["field"] not in broken],
        "elsewhere": _elsewhere(found),
        "text": _lines(request.POST["text"]) if "text" in request.POST else found.text,
        "fits": len(found.text) <= MOST_TEXT_CHARACTERS,
        "reason": request.POST.get("reason", ""),
        "errors": errors,
        "who": names.get(found.made_by, ""),
        "outcome": OUTCOMES.get(found.outcome, ""),
    }


def _typed_cells(request: Request, found: record.QuarantinedRow) -> list[dict[str, Any]]:
    """The cells of a row as they were typed, or else as received; `field` names them in the form."""
    return [
        {
            "field": f"cell-{number}",
            "name": cell.name,
            "messages": cell.messages,
            "value": _lines(request.POST.get(f"cell-{number}", cell.value)),
        }
        for number, cell in enumerate(found.cells)
    ]


def _elsewhere(found: record.QuarantinedRow) -> list[record.Reason]:
    """Reasons that are about no cell shown: about the row as a whole, or about a place in a message."""
    shown = {message for cell in found.cells for message in cell.messages}
    return [reason for reason in found.reasons if reason.message not in shown]


def _at_field(found: record.QuarantinedRow, path: str, message: str) -> dict[str, str]:
    """An error at the cell that it is about, told by our name for its column."""
    column = path.rpartition(", ")[2]
    for number, cell in enumerate(found.cells):
        if cell.column == column:
            return {"field": f"cell-{number}", "message": message}
    return {"field": "" if found.cells else "text", "message": message}


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
