"""Setting up a place and looking after it: the task list, what waits, and what was taken and changed."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import BadRequest
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch

from joinery.apps.base.action import Refused
from joinery.apps.measures import facts as measures
from joinery.apps.place import actions, facts
from joinery.apps.record import facts as record
from joinery.apps.record.actions import pass_relationships
from joinery.site.context import Request
from joinery.site.jinja import url
from joinery.site.place.forms import Form, date_fields
from joinery.site.place.looking import Absent, Look, acting, arranges, page, refusal, show
from joinery.site.place.words import form_choices, in_words, source_words
from joinery.site.uploads import is_too_large, kept

# What a body may stand in to another when it is added; the rest comes with files or changes.
RELATIONS = ("part_of", "in_geography_of", "commissioned_by", "operated_by")


@dataclass(frozen=True, slots=True)
class Step:
    """A task of the set-up as the page shows it."""

    heading: str
    hint: str
    address: str
    done: bool
    optional: bool


TASKS = {
    "home": ("The body that this place serves", "A council, an integrated care board or another body", "place:home"),
    "bodies": ("The bodies around it", "{found} bodies are known", "place:add_body"),
    "leads": ("Who leads", "With a named lead: {found}", "place:name_lead"),
    "areas": ("Areas", "{found} small areas (LSOAs) are known. From a file of the ONS", "place:take_file"),
    "people": ("People who log in", "{found} people have a role here", "place:people"),
}


@page
def start(request: Request, look: Look) -> HttpResponse:
    """The set-up as a task list."""
    steps = []
    for task in facts.start_tasks():
        heading, hint, name = TASKS[task.name]
        steps.append(Step(heading, hint.format(found=f"{task.found:,}"), url(name), task.done, task.optional))
    series = len(measures.series_list())
    address = _series_address()
    if address:
        steps.append(Step("Series of figures", f"{series:,} series are there", address, bool(series), True))
    files = record.files_taken()
    steps.append(
        Step("The first feed of records", f"{files:,} files were taken", url("place:feed"), bool(files), False)
    )
    home = facts.home(look.as_at)
    return show(request, "place/start.jinja", look, {"steps": steps, "home": home, "left": _left(steps)})


def _left(steps: list[Step]) -> int:
    return sum(not step.done and not step.optional for step in steps)


def _series_address() -> str:
    try:
        return url("measures:series")
    except NoReverseMatch:
        return ""


@page
def home(request: Request, look: Look) -> HttpResponse:
    """Say which body this deployment serves: one that is known, or a new one."""
    form = Form.of(request.POST, ("how", "body", "code", "name", "form"))
    if request.method == "POST":
        if not arranges(request):
            return refusal(request)
        if code := _home_code(form, look, request):
            actions.set_home(code=code, **acting(request))
            return redirect(url("place:start"))
    context = {"form": form, "forms": form_choices(), "home": facts.home(look.as_at)}
    return show(request, "place/home.jinja", look, context)


def _home_code(form: Form, look: Look, request: Request) -> str | None:
    if form["how"] != "make":
        body = form.body("body", look.as_at)
        return body.code if body else None
    return _added(form, look, request)


def _added(form: Form, look: Look, request: Request) -> str | None:
    """Add the body that a form names, unless something is wrong; returns its code."""
    code = form.needed("code", "Enter a code. It is never changed and never used again").upper()
    name = form.needed("name", "Enter the name")
    kind = form.chosen("form", facts.FORMS, "Choose the form")
    if len(code) > 40:
        form.wrong("code", "A code has 40 characters at most")
    elif code and (there := facts.organisation(code, facts.AsAt(look.today))) and there.form:
        form.wrong("code", f"{there.name} has this code already")
    if form.errors:
        return None
    details = actions.OrganisationDetails(code, name[:300], kind)
    actions.register_organisation(details=details, **acting(request))
    return code


@page
def add_body(request: Request, look: Look) -> HttpResponse:
    """Add a body, and how it stands to another."""
    form = Form.of(request.POST, ("code", "name", "form", "relation", "other"))
    if request.method == "POST":
        if not arranges(request):
            return refusal(request)
        other = None
        if form.chosen("relation", ("", *RELATIONS), "Choose how it stands to the other body") or form["other"]:
            if not form["relation"]:
                form.wrong("relation", "Choose how it stands to the other body")
            other = form.body("other", facts.AsAt(look.today))
        if code := _added(form, look, request):
            if other:
                actions.relate(code=code, kind=form["relation"], target=other.code, on=look.today, **acting(request))
            return redirect(url("place:body", code=code))
    relations = {kind: facts.KINDS[kind].words for kind in RELATIONS}
    context = {"form": form, "forms": form_choices(), "relations": relations}
    return show(request, "place/add_body.jinja", look, context)


@page
def name_lead(request: Request, look: Look) -> HttpResponse:
    """Name the one person who answers for a body."""
    form = Form.of(request.POST, ("body", "name"), body=request.GET.get("code", "")[:40])
    if request.method == "POST":
        if not arranges(request):
            return refusal(request)
        body, name = form.body("body", facts.AsAt(look.today)), form.needed("name", "Enter the name of the lead")
        if body and name and not form.errors:
            try:
                actions.name_lead(code=body.code, name=name[:300], on=look.today, **acting(request))
                return redirect(url("place:body", code=body.code))
            except Refused as refused:
                form.refused(refused, {"ended": "body", "name": "name"})
    return show(request, "place/name_lead.jinja", look, {"form": form})


@page
def people(request: Request, look: Look) -> HttpResponse:
    """How people who log in are added."""
    return show(request, "place/people.jinja", look, {"home": facts.home(look.as_at)})


@page
def feed(request: Request, look: Look) -> HttpResponse:
    """How the first file of records is taken."""
    return show(request, "place/feed.jinja", look, {"files": record.files_taken()})


@page
def take_file(request: Request, look: Look) -> HttpResponse:
    """Upload a directory file; what became of it stands on its edition's page."""
    form = Form.of(request.POST, ("file", *date_fields("on")))
    if request.method == "POST":
        if not arranges(request):
            return refusal(request)
        sent = request.FILES.get("file")
        on = form.day("on", "the day that the file speaks of", needed=False)
        if is_too_large(request) or (sent and (sent.size or 0) > settings.UPLOAD_MB * 1_000_000):
            form.wrong("file", f"The file has more than {settings.UPLOAD_MB} MB. Take it on the command line")
        elif not isinstance(sent, TemporaryUploadedFile):
            form.wrong("file", "Choose a file")
        elif not form.errors:
            try:
                with kept(sent) as path:
                    taken = actions.take_directory_file(path=path, on=on, **acting(request))
                return redirect(url("place:edition", edition_id=str(taken.edition)))
            except Refused as refused:
                form.refused(refused, {"unreadable_file": "file"})
    context = {"form": form, "most_mb": settings.UPLOAD_MB}
    return show(request, "place/take_file.jinja", look, context)


@page
def waiting(request: Request, look: Look) -> HttpResponse:
    """Memberships and people whose body ended, for a person to decide on."""
    if not arranges(request):
        return refusal(request)
    form = Form.of(request.POST, ("membership", "ended", "choice"))
    decide = _people_decided if form["ended"] else _decided
    if request.method == "POST" and decide(form, request, look):
        return redirect(url("place:waiting"))
    context = {"waits": facts.waiting(look.today), "people": record.waiting_people(look.today), "form": form}
    return show(request, "place/waiting.jinja", look, context)


def _people_decided(form: Form, request: Request, look: Look) -> bool:
    """Let everybody who waits at a body go on at another."""
    if not form.needed("choice", "Choose where they go on, or end it"):
        form.errors[-1]["field"] = f"people-{form['ended']}"
        return False
    code = None if form["choice"] == "end" else form["choice"].removeprefix("to:")
    try:
        pass_relationships(ended=form["ended"], organisation_code=code, **acting(request))
    except Refused as refused:
        form.refused(refused, {})
        return False
    return True


def _decided(form: Form, request: Request, look: Look) -> bool:
    number = form["membership"]
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        raise BadRequest("membership")
    if not form.needed("choice", "Choose where it goes on, or end it"):
        form.errors[-1]["field"] = f"choice-{number}"
        return False
    try:
        if form["choice"] == "end":
            actions.end_membership(membership_id=int(number), on=look.today, **acting(request))
        else:
            code = form["choice"].removeprefix("to:")
            actions.pass_membership(membership_id=int(number), organisation_code=code, **acting(request))
    except Refused as refused:
        form.refused(refused, {})
        return False
    return True


@page
def editions(request: Request, look: Look) -> HttpResponse:
    """What was taken and changed, newest first."""
    text = request.GET.get("before", "")
    if text and not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise BadRequest("cursor")
    found = facts.adoptions(int(text) if text else None)
    names = facts.actor_names(each.made_by for each in found.editions)
    sources = {each.source: source_words(each.source) for each in found.editions}
    context = {"found": found, "names": names, "sources": sources, "paged": bool(text)}
    return show(request, "place/editions.jinja", look, context)


@page
def edition(request: Request, look: Look, edition_id: int) -> HttpResponse:
    """One thing that was taken or changed: its counts, and the rows that could not be taken."""
    found = facts.edition(edition_id) if edition_id < 2**63 else None
    if found is None or found.state != "adopted":
        raise Absent("There is no such file or change", "The number in the address is not known here.")
    changes = () if found.kind == "file" else facts.changes(found.id)
    context = {
        "edition": found,
        "changes": in_words(changes),
        "more": len(changes) >= 200,
        "names": facts.actor_names([found.made_by]),
        "source": source_words(found.source),
        "rows": facts.quarantined(found.id),
    }
    return show(request, "place/edition.jinja", look, context)
