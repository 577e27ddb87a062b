"""Passkeys: made by a device, asked for by a browser, checked by allauth. The pages and their one script are ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from struct import error as StructError
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import Login
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms, views
from allauth.mfa.webauthn.internal import auth
from allauth.mfa.webauthn.internal.flows import perform_passwordless_login
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from django.contrib.auth.decorators import login_not_required
from django.forms import HiddenInput, JSONField
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator

from joinery.site.idle import why_ended

NOT_TAKEN = "That did not work. Try again, or log in another way."
# What an answer that no device gave breaks in the libraries that read it.
UNREADABLE = (
    ArithmeticError, AttributeError, InvalidSignature, LookupError, StructError, TypeError, UnsupportedAlgorithm,
    ValueError,
)  # fmt: skip


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except UNREADABLE:
        raise get_adapter().validation_error("incorrect_code") from None


class _Decoder(json.JSONDecoder):
    """Reads JSON as a form expects it: what is nested too deep, or a number too long to read, is none either."""

    def decode(self, s: str, *args: Any) -> Any:
        try:
            return super().decode(s, *args)
        except (RecursionError, ValueError):
            raise json.JSONDecodeError("not readable", "", 0) from None


def _credential() -> JSONField:
    return JSONField(widget=HiddenInput, decoder=_Decoder)


class AddForm(forms.AddWebAuthnForm):
    credential = _credential()

    def clean(self) -> Any:
        with _readable():
            return super().clean()


class AuthenticateForm(forms.AuthenticateWebAuthnForm):
    credential = _credential()

    def clean_credential(self) -> Authenticator:
        with _readable():
            return super().clean_credential()


class LogInForm(AuthenticateForm, forms.LoginWebAuthnForm):
    pass


class ReauthenticateForm(AuthenticateForm, forms.ReauthenticateWebAuthnForm):
    pass


class AddPasskey(views.AddWebAuthnView):
    """Make a passkey, always of the sort with which one logs in without a password."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["js_data"] = {"creation_options": auth.begin_registration(self.request.user, True)}
        return context

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        record_authentication(self.request, self.request.user, "mfa", type=str(Authenticator.Type.WEBAUTHN))
        return answer


class RemovePasskey(views.RemoveWebAuthnView):
    success_url = reverse_lazy("mfa_index")


@method_decorator(login_not_required, name="dispatch")
class LogIn(views.LoginWebAuthnView):
    """Log in with a passkey, on a page of its own: where passwords are typed no script runs."""

    template_name = "mfa/webauthn/login.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        options = {"js_data": {"request_options": auth.begin_authentication()}}
        return super().get_context_data(**kwargs) | options | why_ended(self.request)

    def form_valid(self, form: Any) -> HttpResponse:
        authenticator = form.cleaned_data["credential"]
        login = Login(user=authenticator.user, redirect_url=get_next_redirect_url(self.request))
        return perform_passwordless_login(self.request, authenticator, login)

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(problem=NOT_TAKEN))
