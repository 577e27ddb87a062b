"""Logging in: allauth's local accounts, and nothing of allauth that the place does not use."""

from __future__ import annotations

from typing import Any, cast

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.views import LoginView, PasswordChangeView
from django.http import HttpRequest
from django.urls import reverse_lazy

from joinery.apps.base import facts as base
from joinery.apps.base.action import Actor
from joinery.apps.base.actions import note_account_event
from joinery.site import oidc
from joinery.site.context import Request, demo_users, first_page
from joinery.site.idle import why_ended
from joinery.site.jinja import url

WRONG = "The password is not right for that email address or login name"


# What happens to an account, by the name of allauth's email about it.
TOLD = {
    "password_changed": "password_changed",
    "password_set": "password_changed",
    "totp_activated": "app_added",
    "totp_deactivated": "app_removed",
    "webauthn_added": "passkey_added",
    "webauthn_removed": "passkey_removed",
    "recovery_codes_generated": "codes_made",
}


class Adapter(DefaultAccountAdapter):
    """Nobody signs up by themselves: people are added by their organisation."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": WRONG,
        "username_password_mismatch": WRONG,
        "incorrect_password": "That password is not right",
        "too_many_login_attempts": "Too many tries. Wait 5 minutes, then try again",
        "rate_limited": "Too many tries. Wait 5 minutes, then try again",
    }

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> Any:
        self.note(user.pk, "logged_in")
        return super().post_login(request, user, **kwargs)

    def logout(self, request: HttpRequest) -> None:
        if request.user.is_authenticated:
            self.note(request.user.pk, "logged_out")
        super().logout(request)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        login = credentials.get("email") or credentials.get("username") or ""
        self.note(base.user_who_logs_in_as(login), "password_wrong")

    def send_notification_mail(self, template_prefix: str, user: Any, *args: Any, **kwargs: Any) -> None:
        """What allauth would write an email about: the user finds it on the page of their account instead."""
        if what := TOLD.get(template_prefix.rpartition("/")[2]):
            self.note(user.pk, what)

    def note(self, user_id: int | None, what: str) -> None:
        """Keep what happened to how a user logs in."""
        note_account_event(user_id=user_id, what=what, actor=Actor.system("logging in"), at=self.request.at)

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """To what was typed before, or to the page where their work begins."""
        if why_ended(request)["unsent"]:
            return url("account_unsent")
        return url(first_page(cast(Request, request)))

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Who logged in a moment ago has just shown who they are."""
        records = get_authentication_records(self.request, self.request.user)
        return not records or self.request.at.timestamp() - records[-1]["at"] > app_settings.REAUTHENTICATION_TIMEOUT

    def get_login_stages(self) -> list[str]:
        """No second factor of ours for whom the identity provider has asked for one."""
        stages = super().get_login_stages()
        strong = getattr(self.request, "is_strong_identity", False)
        return [stage for stage in stages if not (strong and stage == "allauth.mfa.stages.AuthenticateStage")]


class LogInView(LoginView):
    """allauth's page, with the other ways in; in a demonstration it also lists who can log in."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shown = demo_users() | why_ended(self.request)
        return super().get_context_data(**kwargs) | shown | {"identity": oidc.offered()}


class ChangePassword(PasswordChangeView):
    success_url = reverse_lazy("mfa_index")
