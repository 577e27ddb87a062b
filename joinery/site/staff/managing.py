"""Who manages whom: what a page of the staff is given, and what it refuses."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from joinery.apps.place import facts
from joinery.apps.place.facts import Holder, StaffMember
from joinery.apps.record.facts import own_access_users
from joinery.calc.access import Post, may_arrange, may_do, roles_given_by
from joinery.site.context import Request, standing_of
from joinery.site.jinja import LONDON
from joinery.site.place.looking import Absent


@dataclass(frozen=True, slots=True)
class Manager:
    """Somebody who looks after staff today, by the posts that let them. Whoever arranges the place does so at
    every body: there is no body without somebody who can give and end its roles."""

    user_id: int
    posts: tuple[Post, ...]
    today: date

    @property
    def everywhere(self) -> bool:
        """True when no body is out of reach."""
        return may_arrange(self.posts)

    @property
    def bodies(self) -> frozenset[str]:
        """The bodies (their codes) where the posts are."""
        return frozenset(post.organisation for post in self.posts)

    def roles_at(self, body: str) -> tuple[str, ...]:
        """The roles that may be given, prolonged and ended at a body, in the order of the table."""
        found = [
            role
            for post in self.posts
            if post.organisation == body or may_arrange((post,))
            for role in roles_given_by(post.role)
        ]
        return tuple(dict.fromkeys(found))

    def may_change(self, member: StaffMember) -> bool:
        """Whether this is a role that they might have given; nobody changes what they have themselves."""
        return member.user_id != self.user_id and member.role in self.roles_at(member.body)

    def staff(self) -> tuple[StaffMember, ...]:
        """Everybody at the bodies that they look after."""
        return facts.staff(self.today, None if self.everywhere else self.bodies)

    def member(self, membership_id: int) -> tuple[StaffMember, tuple[StaffMember, ...]]:
        """One of them, whom they may change, and everybody. Raises Absent."""
        staff = self.staff()
        found = next((each for each in staff if each.membership_id == membership_id), None)
        if found is None or not self.may_change(found):
            raise Absent("There is nobody to change here", "This role is not one that you look after, or it has ended.")
        return found, staff

    def may_invite(self, member: StaffMember, staff: Iterable[StaffMember]) -> bool:
        """Whether they may hand this user a new way to log in, and so the whole account: only when it is theirs
        to look after with all its roles, and opens no record of the user's own."""
        theirs = [each for each in staff if each.user_id == member.user_id and self.may_change(each)]
        return len(theirs) == member.posts and member.user_id not in own_access_users(self.today)

    def reviews(self, staff: Iterable[StaffMember]) -> tuple[StaffMember, ...]:
        """The roles that wait for them to be looked at again, the longest wait first.

        A role is looked at by who could have given it at its body, never by who has it. It climbs to who arranges
        the place when it is overdue, or when there is nobody at the body; if that is nobody else, it is theirs.
        """
        due = [each for each in staff if each.is_due(self.today)]
        if self.everywhere:
            holders = [each for each in facts.holders(self.today) if _manages(each.role)]
            due = [each for each in due if self._climbs(each, holders)]
        else:
            due = [each for each in due if self.may_change(each)]
        return tuple(sorted(due, key=lambda each: (each.due(self.today), each.membership_id)))

    def _climbs(self, member: StaffMember, holders: Iterable[Holder]) -> bool:
        able = [h for h in holders if h.user_id != member.user_id and member.role in roles_given_by(h.role)]
        there = {h.user_id for h in able if h.organisation == member.body}
        if member.user_id == self.user_id:
            return not there and not any(may_arrange((Post(h.role, h.organisation),)) for h in able)
        return member.is_overdue(self.today) or not there or self.user_id in there


def manager_of(request: Request) -> Manager | None:
    """What the signed-in user looks after, if anything."""
    posts = tuple(post for post in standing_of(request).posts if _manages(post.role))
    return Manager(request.user.pk, posts, request.at.astimezone(LONDON).date()) if posts else None


def _manages(role: str) -> bool:
    return may_do((Post(role, ""),), "manage_staff").allowed


def managers_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page for managers alone, given what they manage, and told plainly when something is not there."""

    @functools.wraps(view)
    def run(request: Request, **kwargs: Any) -> HttpResponse:
        manager = manager_of(request)
        if manager is None:
            return render(request, "staff/refused.jinja", {}, status=403)
        try:
            return view(request, manager=manager, **kwargs)
        except Absent as absent:
            context = {"heading_text": absent.heading, "sentence": absent.sentence}
            return render(request, "staff/absent.jinja", context, status=404)

    return run
