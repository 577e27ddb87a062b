"""Second factors: an app on a telephone, a passkey, or printed codes. allauth checks them; the pages are ours.

The page of the account, from which all of them are reached, says as well whether its user is told by email.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.internal.flows import delete_and_cleanup
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.internal import auth
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy

from joinery.apps.base.actions import choose_notices
from joinery.apps.base.facts import notices_failing, takes_notices
from joinery.site import oidc
from joinery.site.context import Request, standing_of
from joinery.site.place.looking import acting

Type = Authenticator.Type


class Adapter(DefaultMFAAdapter):
    """What allauth asks about second factors. Their secrets stand in the database under a key that does not."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "That code is not right, or is no longer. Enter the one that is shown now",
    }

    def get_totp_issuer(self) -> str:
        return f"Joinery {settings.PLACE_NAME}".strip()

    def build_totp_svg(self, url: str) -> str:
        """The picture as a page holds it, without the first line that a file of its own has."""
        svg = super().build_totp_svg(url)
        return svg[svg.index("<svg") :]

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The secret; or one that nobody has, where the deployment was restored without its keys."""
        from cryptography.fernet import InvalidToken

        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            return base64.b32encode(secrets.token_bytes(20)).decode()

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:
        return f"Passkey {Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1}"


def _cipher() -> Any:
    from cryptography.fernet import Fernet

    key = hashlib.sha256(b"second factors" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


class Required:
    """The middleware that lets who holds a role in the place no further without a second factor.

    The session remembers how its user logged in. Who has a factor was asked for it then; this sends the others to
    the page where they set one up.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or not request.user.is_authenticated or not getattr(view, "login_required", True):
            return None
        if match.view_name.startswith(("account_", "mfa_", "oidc_")):
            return None
        return redirect("mfa_index") if _is_missing(cast(Request, request)) else None


def _is_missing(request: Request) -> bool:
    return settings.SECOND_FACTOR and not is_strong(request) and bool(standing_of(request).posts)


def is_strong(request: HttpRequest) -> bool:
    """Whether the user of this session showed a second factor to us, or to the provider who let them in."""
    records = get_authentication_records(request, request.user)
    return any(record["method"] == "mfa" or record.get("strong") for record in records)


def index(request: Request) -> HttpResponse:
    """The ways in which the user logs in, to add to or to take from; and whether they are told by email."""
    if request.method == "POST" and request.POST.get("verb") == "notices":
        choose_notices(user_id=request.user.pk, wanted=request.POST.get("notices") == "yes", **acting(request))
        return redirect("mfa_index")
    factors = list(Authenticator.objects.filter(user_id=request.user.pk).order_by("created_at"))
    codes = next((each.wrap() for each in factors if each.type == Type.RECOVERY_CODES), None)
    context = {
        "missing": _is_missing(request),
        "app": next((each for each in factors if each.type == Type.TOTP), None),
        "passkeys": [
            {"id": each.pk, "name": each.wrap().name, "added_at": each.created_at, "used_at": each.last_used_at}
            for each in factors
            if each.type == Type.WEBAUTHN
        ],
        "codes_left": len(codes.get_unused_codes()) if codes else None,
        "has_password": request.user.has_usable_password(),
        "identity": oidc.offered(),
        "connected": oidc.is_connected(request.user.pk),
        "sends_notices": bool(settings.MAIL),
        "takes_notices": takes_notices(request.user.pk),
        "failing": notices_failing() if settings.MAIL else None,
    }
    return render(request, "mfa/index.html", context)


class Authenticate(AuthenticateView):
    """The second step of logging in."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | {"has_passkey": bool(auth.get_credentials(self.stage.login.user))}

    def form_invalid(self, form: Any) -> HttpResponse:
        get_adapter(self.request).note(self.stage.login.user.pk, "code_wrong")
        return super().form_invalid(form)


class AddApp(ActivateTOTPView):
    """Connect an app on a telephone. Who has just shown its code has used it."""

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        record_authentication(self.request, self.request.user, "mfa", type=str(Type.TOTP))
        return answer


class RemoveApp(DeactivateTOTPView):
    success_url = reverse_lazy("mfa_index")


def forget_factors(request: HttpRequest, user_id: int) -> None:
    """Remove all second factors of a user, who has lost them and was invited again."""
    for each in Authenticator.objects.filter(user_id=user_id):
        delete_and_cleanup(request, each)
