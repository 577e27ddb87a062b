"""Feeds at a glance, one source, one file: what came, when, and what became of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import render

from joinery.apps.base.feeds import Feed, feed_of
from joinery.apps.place import facts as place
from joinery.apps.record import facts as record
from joinery.calc.access import may_mend
from joinery.definitions import FEEDS
from joinery.site.context import Request, standing_of
from joinery.site.jinja import LONDON
from joinery.site.line_chart import draw

PURPOSES = {
    "direct_care": "For people’s care, shown on their pages",
    "secondary_use": "For measures, never shown on a person’s page",
    "provider": "About bodies, not about people",
}
# What one rule of a definition is about, for people.
RULES = {
    "required": "Empty, and must be filled",
    "not-applicable": "Filled, though it says nothing of such a row",
    "date": "Not a date",
    "time": "Not a date or time",
    "number": "Not a number",
    "code": "Not on its list",
    "earlier-code": "A word of an earlier release",
    "form": "Not written as it must be",
    "nhs-number": "Not a valid NHS number",
    "order": "Lies before what it follows",
    "formula": "Begins like a formula",
    "length": "Too long",
    "columns": "More or fewer cells than columns",
    "csv": "Not valid CSV",
    "encoding": "Holds what is no text",
    "same-version": "Sent before with other content",
    "unknown-element": "Not an element of FHIR R4",
    "resource-type": "Not a type of resource of FHIR R4",
    "json": "Not valid JSON",
    "json-type": "Not of the kind that belongs there",
    "duplicate-key": "Given twice",
    "null": "Null, which is not allowed",
    "empty": "Given, and empty",
    "choice": "Given in several forms at once",
    "sum": "Does not add up",
    "header": "Its head is not as it must be",
    "reference-target": "Points to what it may not point to",
}


@dataclass(frozen=True, slots=True)
class Register:
    """A feed that fills the directory, and the file of it that was taken last."""

    definition: Feed
    last: place.EditionSummary | None
    late: bool


def index(request: Request) -> HttpResponse:
    """Every source, the registers, and the feeds that nobody sends."""
    sources = record.feed_sources(request.at)
    known = {each.definition.feed for each in sources}
    feeds = definitions()
    groups: dict[str, list[record.FeedSource]] = {}
    for each in sources:
        groups.setdefault(each.definition.purpose, []).append(each)
    context = {
        "sources": sources,
        "groups": groups,
        "mine": may_see_rows(request, sources),
        "registers": _registers(request.at, feeds),
        "unsent": [feed for feed in feeds if feed.store != "directory" and feed.feed not in known],
        "purposes": PURPOSES,
    }
    return render(request, "record/feeds.jinja", context)


def source(request: Request, source_id: int) -> HttpResponse:
    """One source: its files, how good their rows were, and what is known of the feed."""
    found = source_of(request, source_id)
    quality = record.quality(found)
    context = {
        "source": found,
        "mine": may_see_rows(request, (found,)),
        "page": record.taken_files(source_id, cursor(request)),
        "paged": "before" in request.GET,
        "quality": quality,
        "chart": draw([(day.day, 100 * day.quarantined_share, False) for day in quality.days], ()),
        "variant": record.variant_in_force(found),
        "purposes": PURPOSES,
        "rules": RULES,
    }
    return render(request, "record/feed_source.jinja", context)


def file(request: Request, submission_id: int) -> HttpResponse:
    """What became of the rows of one file."""
    found = record.taken_file(within(submission_id))
    if found is None:
        raise Http404
    sent_by = source_of(request, found.source_id)
    context = {
        "file": found,
        "source": sent_by,
        "mine": may_see_rows(request, (sent_by,)),
        "reasons": record.first_reasons(submission_id),
        "columns": record.columns_not_read(sent_by, submission_id),
    }
    return render(request, "record/feed_file.jinja", context)


def definitions() -> list[Feed]:
    """The feeds that this version can take."""
    return [feed_of(name) for name in FEEDS]


def source_of(request: Request, source_id: int) -> record.FeedSource:
    """A source by its id. Raises Http404."""
    for found in record.feed_sources(request.at, within(source_id)):
        return found
    raise Http404


def may_see_rows(request: Request, sources: tuple[record.FeedSource, ...]) -> frozenset[int]:
    """Of which sources the signed-in user may see and correct rows that could not be taken."""
    posts = standing_of(request).posts
    return frozenset(
        each.id
        for each in sources
        if may_mend(posts, each.organisation_code, each.definition.purpose == "secondary_use").allowed
    )


def cursor(request: Request) -> int | None:
    """Where a page of a list begins. Raises BadRequest."""
    text = request.GET.get("before", "")
    if text and not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise BadRequest("cursor")
    return int(text) if text else None


def within(number: int) -> int:
    """A number out of an address, which a database can hold. Raises Http404."""
    if number >= 2**63:
        raise Http404
    return number


def _registers(now: datetime, feeds: list[Feed]) -> list[Register]:
    of = [feed for feed in feeds if feed.store == "directory"]
    newest = place.newest_files(feed.feed for feed in of)
    found = []
    for feed in of:
        last = newest.get(feed.feed)
        at = last.adopted_at if last else None
        found.append(Register(feed, last, at is not None and feed.is_late(at, now.astimezone(LONDON))))
    return found
