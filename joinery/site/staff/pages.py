"""My staff: who has which role until when; add, prolong, change and end it."""

from __future__ import annotations

from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from joinery.apps.base.action import Refused
from joinery.apps.base.actions import add_user
from joinery.apps.base.facts import is_active, staff_rules, user_with_email
from joinery.apps.place import actions, facts
from joinery.apps.place.facts import StaffMember
from joinery.calc.access import ROLES
from joinery.site.context import Request
from joinery.site.jinja import url
from joinery.site.place.forms import Form, date_fields, date_values
from joinery.site.place.looking import Absent, acting
from joinery.site.staff.invitations import invitation_page
from joinery.site.staff.leaving import end_leavers
from joinery.site.staff.managing import Manager, managers_page

STAFF_A_PAGE = 100


@managers_page
def index(request: Request, manager: Manager) -> HttpResponse:
    """Everybody that the manager looks after, a hundred at a time."""
    staff = manager.staff()
    text = request.GET.get("page", "1")
    number = max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 6 else 1
    shown = staff[(number - 1) * STAFF_A_PAGE : number * STAFF_A_PAGE]
    context = {
        "staff": shown,
        "changeable": {each.membership_id for each in shown if manager.may_change(each)},
        "ending": sum(each.ends_soon(manager.today) for each in staff),
        "total": len(staff),
        "number": number,
        "more": len(staff) > number * STAFF_A_PAGE,
        "to_review": len(manager.reviews(staff)),
        "today": manager.today,
    }
    return render(request, "staff/index.jinja", context)


@managers_page
def add(request: Request, manager: Manager) -> HttpResponse:
    """Give somebody a role; who cannot log in yet gets an invitation, to be printed now."""
    start = _last_day_at_most(manager.today)
    form = Form.of(
        request.POST, ("name", "email", "body", "role", "postcode", *date_fields("last")),
        **date_values("last", start), body=min(manager.bodies) if len(manager.bodies) == 1 else "",
    )  # fmt: skip
    if request.method == "POST" and (answer := _added(form, manager, request)):
        return answer
    roles = {role: ROLES[role] for post in manager.posts for role in manager.roles_at(post.organisation)}
    bodies = {} if manager.everywhere else facts.organisation_names(manager.bodies, manager.today)
    context = {"form": form, "roles": roles, "bodies": bodies, "manager": manager}
    return render(request, "staff/add.jinja", context)


def _added(form: Form, manager: Manager, request: Request) -> HttpResponse | None:
    """Add the person that the form tells of, unless something is wrong."""
    name = form.needed("name", "Enter the name")
    email = email_of(form)
    if manager.everywhere:
        found = form.body("body", facts.AsAt(manager.today))
        body = found.code if found else ""
    else:
        body = form.chosen("body", manager.bodies, "Choose where they work")
    role = form.chosen("role", manager.roles_at(body) if body else (), "Choose the role") if body else ""
    last = _last_day(form, manager.today)
    known = user_with_email(email) if email else None
    if known == manager.user_id:
        form.wrong("email", "Nobody gives themselves a role. Ask another manager")
    if form.errors or last is None:
        return None
    # Whoever is handed an invitation has the whole account: so none for somebody who has one with others' roles.
    invited = known is None or not is_active(known)
    try:
        with transaction.atomic():
            user_id = known or add_user(
                email=email, name=name, password=None, home_postcode=form["postcode"], **acting(request)
            )
            given = actions.add_membership(
                user_id=user_id, organisation_code=body, role=role, from_date=manager.today,
                to_date=last + timedelta(days=1), **acting(request),
            )  # fmt: skip
            if invited:
                return invitation_page(request, user_id, url("staff:index"))
            return redirect(url("staff:member", membership_id=str(given)))
    except Refused as refused:
        form.refused(
            refused,
            {
                "until": "last_day",
                "organisation": "body",
                "email": "email",
                "email_taken": "email",
                "email_long": "email",
                "postcode": "postcode",
            },
        )
        return None


def email_of(form: Form) -> str:
    """The email address that was typed in, or an empty one."""
    if form["email"]:
        try:
            validate_email(form["email"])
        except ValidationError:
            form.wrong("email", "Enter an email address, like name@example.org, or leave it empty")
    return form["email"].lower()


def _last_day_at_most(today: date) -> date:
    return today + timedelta(days=staff_rules(today).post_days - 1)


def _last_day(form: Form, today: date) -> date | None:
    """The last day of a role, which must be soon enough that somebody will think of it again."""
    last = form.day("last", "the last day")
    if last and last < today:
        form.wrong("last_day", "The last day must be today or later. To end a role, end it at once")
    elif last and last > (most := _last_day_at_most(today)):
        form.wrong("last_day", f"The last day must be {most.day} {most:%B %Y} or earlier. It can be put off again then")
    else:
        return last
    return None


@managers_page
def member(request: Request, manager: Manager, membership_id: int) -> HttpResponse:
    """One role of one person: prolong or change it, end it, or invite them again."""
    found, staff = manager.member(membership_id)
    form = Form.of(
        request.POST, ("role", *date_fields("last")), role=found.role,
        **date_values("last", found.last_day or _last_day_at_most(manager.today)),
    )  # fmt: skip
    if request.method == "POST" and _changed(form, manager, found, request):
        return redirect(url("staff:index"))
    context = {
        "member": found,
        "form": form,
        "roles": {role: ROLES[role] for role in manager.roles_at(found.body)},
        "may_invite": manager.may_invite(found, staff),
        "given_by": facts.actor_names([found.given_by])[found.given_by] if found.given_by else "",
        "today": manager.today,
    }
    return render(request, "staff/member.jinja", context)


def _changed(form: Form, manager: Manager, found: StaffMember, request: Request) -> bool:
    role = form.chosen("role", manager.roles_at(found.body), "Choose the role")
    last = _last_day(form, manager.today)
    if form.errors or last is None:
        return False
    to_date = last + timedelta(days=1)
    try:
        with transaction.atomic():
            if role == found.role:
                actions.extend_membership(membership_id=found.membership_id, to_date=to_date, **acting(request))
                return True
            # What somebody was is not written over: the role ends, and another begins.
            actions.end_membership(membership_id=found.membership_id, on=manager.today, **acting(request))
            actions.add_membership(
                user_id=found.user_id, organisation_code=found.body, role=role, from_date=manager.today,
                to_date=to_date, **acting(request),
            )  # fmt: skip
            return True
    except Refused as refused:
        form.refused(refused, {"until": "last_day"})
        return False


@require_POST
@managers_page
def end(request: Request, manager: Manager, membership_id: int) -> HttpResponse:
    """End a role at once, and the account with it where nothing else is left."""
    found, _ = manager.member(membership_id)
    with transaction.atomic():
        actions.end_membership(membership_id=found.membership_id, on=manager.today, **acting(request))
        end_leavers(of=[found.user_id], **acting(request))
    return redirect(url("staff:index"))


@require_POST
@managers_page
def invite_again(request: Request, manager: Manager, membership_id: int) -> HttpResponse:
    """A new invitation for somebody who lost the first, or what they log in with."""
    found, staff = manager.member(membership_id)
    if not manager.may_invite(found, staff):
        raise Absent("You cannot invite them again", "They have roles elsewhere too, or see a record of their own.")
    return invitation_page(request, found.user_id, url("staff:member", membership_id=str(membership_id)))


@managers_page
def reviews(request: Request, manager: Manager) -> HttpResponse:
    """The quarterly review as a task list: of each role that is due, whether it is still needed."""
    form = Form.of(request.POST, ("membership", "verdict"))
    waiting = manager.reviews(manager.staff())
    if request.method == "POST" and _reviewed(form, manager, waiting, request):
        return redirect(url("staff:reviews"))
    context = {
        "waiting": waiting[:STAFF_A_PAGE],
        "total": len(waiting),
        "form": form,
        "manager": manager,
        "today": manager.today,
    }
    return render(request, "staff/reviews.jinja", context)


def _reviewed(form: Form, manager: Manager, waiting: tuple[StaffMember, ...], request: Request) -> bool:
    found = next((each for each in waiting if str(each.membership_id) == form["membership"]), None)
    if found is None:
        return True  # somebody else has looked at it meanwhile
    field = f"verdict-{found.membership_id}"
    if form["verdict"] == "end" and found.user_id == manager.user_id:
        form.wrong(field, "Nobody ends their own role here. Ask another integration lead")
        return False
    try:
        with transaction.atomic():
            actions.review_membership(membership_id=found.membership_id, verdict=form["verdict"], **acting(request))
            end_leavers(of=[found.user_id], **acting(request))
            return True
    except Refused as refused:
        form.refused(refused, {"verdict": field})
        return False
