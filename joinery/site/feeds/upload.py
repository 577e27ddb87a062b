"""Taking a file of any feed from a page."""

from __future__ import annotations

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect, render

from joinery.apps.base.action import Refused
from joinery.apps.base.feeds import feed_of
from joinery.apps.place import facts as place
from joinery.apps.record.actions import MENDING_REFUSALS, Taken
from joinery.calc.access import may_do, posts_with
from joinery.site.context import Request, standing_of
from joinery.site.feeds.glance import definitions
from joinery.site.feeds.quarantine import refused
from joinery.site.jinja import url
from joinery.site.place.forms import Form
from joinery.site.place.looking import acting
from joinery.site.taking import take
from joinery.site.uploads import is_too_large, kept


def page(request: Request) -> HttpResponse:
    """Choose a feed, its sender and a file; what became of the rows stands on the file's page."""
    posts = standing_of(request).posts
    decision = may_do(posts, "own_feeds")
    if not decision.allowed:
        return refused(request, MENDING_REFUSALS[decision.reason])
    lead = may_do(posts, "any_feeds").allowed
    # A register is no organisation's own: it changes the directory, as only a lead may.
    feeds = {each.feed: each.title for each in definitions() if lead or each.store != "directory"}
    codes = {post.organisation for post in posts_with(posts, "own_feeds")}
    senders = place.organisation_names(codes, request.at.date())
    form = Form.of(request.POST, ("feed", "sender"), sender=next(iter(codes)) if len(codes) == 1 and not lead else "")
    if request.method == "POST":
        taken = _take(request, form, feeds, senders, lead)
        if taken and taken.submission_id:
            return redirect(url("feeds:file", submission_id=str(taken.submission_id)))
        if taken:
            return redirect(url("place:editions"))
    context = {
        "form": form, "errors": form.errors, "feeds": feeds, "senders": senders, "lead": lead,
        "most_mb": settings.UPLOAD_MB,
    }  # fmt: skip
    return render(request, "record/upload.jinja", context)


def _take(request: Request, form: Form, feeds: dict[str, str], senders: dict[str, str], lead: bool) -> Taken | None:
    """Take the file that was sent; None when the form has errors, or the file was refused."""
    feed = form.chosen("feed", feeds, "Choose what the file is")
    sender = "" if form.errors else _sender(request, form, feed, senders, lead)
    sent = request.FILES.get("file")
    if is_too_large(request) or (sent and (sent.size or 0) > settings.UPLOAD_MB * 1_000_000):
        form.wrong("file", f"The file has more than {settings.UPLOAD_MB} MB. Take it on the command line: joinery take")
    elif not isinstance(sent, TemporaryUploadedFile):
        form.wrong("file", "Choose a file")
    elif not form.errors:
        try:
            with kept(sent) as path:
                return take(path=path, feed=feed, sender=sender, **acting(request))
        except Refused as refusal:
            form.refused(refusal, {"unreadable_file": "file", "organisation": "sender", "feed": "feed"})
    return None


def _sender(request: Request, form: Form, feed: str, senders: dict[str, str], lead: bool) -> str:
    """The code of the sender: one of the user's own organisations, or any that a lead names."""
    if feed_of(feed).store == "directory":
        return ""
    if not lead:
        return form.chosen("sender", senders, "Choose who sent the file")
    body = form.body("sender", place.as_at(request.at.date()))
    return body.code if body else ""
