"""Log in with an identity of the NHS or of a council: OpenID Connect, with an authorisation code and PKCE.

Whom the provider knows as a subject is one of our users once that was bound: through an invitation, from the
account itself, or by a verified email address where the deployment trusts the provider for these. Nobody signs up.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render

from joinery.apps.base import actions
from joinery.apps.base import facts as base
from joinery.apps.base.action import Actor, Refused
from joinery.site.context import Request
from joinery.site.jinja import url

logger = logging.getLogger("joinery.oidc")

TIMEOUT_SECONDS = 10
# How long somebody may take at the provider, and how long what it says of itself is believed.
STARTED_SECONDS, KNOWN_SECONDS = 10 * 60, 60 * 60
# How far the provider's clock may be from ours, and for how long our signed statement of who we are holds.
LEEWAY_SECONDS, ASSERTION_SECONDS = 60, 5 * 60
MOST_OF_SUBJECT = 255  # OpenID Connect Core 1.0, section 2
# Signatures with a key that the provider alone has; never `none`, and none whose key we share.
SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")


class NotLoggedIn(Exception):
    """The provider let nobody in; `code` goes to the log, the message to the user."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says is there. `strong`: it asked for a second factor; `email`: verified, or empty."""

    issuer: str
    subject: str
    email: str
    strong: bool


def offered() -> str:
    """What users call the provider; empty where there is none."""
    return settings.OIDC.get("name", "")


def is_connected(user_id: int) -> bool:
    """Whether the user may log in with the provider."""
    return bool(settings.OIDC) and base.has_identity(user_id, settings.OIDC["issuer"])


def _answered(view: Callable[[Request], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A page of the way through the provider: what goes wrong there is said in words, and its code is logged."""

    @login_not_required
    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        try:
            return view(cast(Request, request))
        except NotLoggedIn as problem:
            logger.warning("identity refused", extra={"kept": {"code": problem.code}})
            context = {"identity": offered(), "sentence": str(problem)}
            return render(request, "account/identity_refused.html", context, status=403)

    return answer


@_answered
def start(request: Request) -> HttpResponse:
    """Send the browser to the provider; from an account, to connect it."""
    from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
    from allauth.account.utils import get_next_redirect_url
    from allauth.core.internal.ratelimit import consume_or_429

    if not settings.OIDC:
        return redirect(settings.LOGIN_URL)
    if request.user.is_authenticated:
        raise_if_reauthentication_required(request, app="allauth.mfa")
    if too_many := consume_or_429(request, app="allauth.account", action="login", limit_get=True):
        return too_many
    started = {
        "state": secrets.token_urlsafe(32),
        "nonce": secrets.token_urlsafe(32),
        "verifier": secrets.token_urlsafe(64),
        "at": int(request.at.timestamp()),
        "next": get_next_redirect_url(request),
        "user_id": request.user.pk,
        "invited": "invited" in request.GET,
    }
    request.session["oidc"] = started
    address, _ = _client(request).create_authorization_url(
        _metadata()["authorization_endpoint"], state=started["state"], nonce=started["nonce"],
        code_verifier=started["verifier"], **dict(parse_qsl(settings.OIDC["ask"])),
    )  # fmt: skip
    return HttpResponseRedirect(address)


@_answered
def back(request: Request) -> HttpResponse:
    """Where the provider sends the browser to: log in, or connect the account that this was started from."""
    started = request.session.pop("oidc", None)
    if not settings.OIDC or not started or request.at.timestamp() - started["at"] > STARTED_SECONDS:
        raise NotLoggedIn("not_started", "This was not started here, or too long ago. Start again.")
    if not hmac.compare_digest(started["state"].encode(), request.GET.get("state", "").encode()):
        raise NotLoggedIn("state", "This answer belongs to another log in. Start again.")
    if not request.GET.get("code"):
        raise NotLoggedIn(f"provider:{request.GET.get('error', '')[:40]}", f"{offered()} did not let you in.")
    identity = _identity(request, started)
    if started["user_id"] is None:
        return _log_in(request, identity, started)
    if started["user_id"] != request.user.pk:
        raise NotLoggedIn("other_user", "You logged in as somebody else in the meantime. Start again.")
    _bind(request, identity, request.user.pk)
    return redirect("mfa_index")


def _log_in(request: Request, identity: Identity, started: Mapping[str, Any]) -> HttpResponse:
    from allauth.account.internal.flows.login import perform_login, record_authentication
    from allauth.account.models import Login
    from django.contrib.auth import get_user_model

    user_id = base.user_with_identity(identity.issuer, identity.subject)
    if user_id is None:
        user_id = _bound_now(request, identity, started["invited"])
    user = get_user_model().objects.get(pk=user_id)
    request.is_strong_identity = identity.strong  # type: ignore[attr-defined]
    record_authentication(request, user, "identity", strong=identity.strong or None)
    return perform_login(request, Login(user=user, redirect_url=started["next"]))


def _bound_now(request: Request, identity: Identity, invited: bool) -> int:
    """Bind somebody who comes with this identity for the first time; their user's id.

    An invitation counts for who came from its page, not for whoever logs in next at that computer.
    """
    from joinery.site.staff.invitations import kept_invitation

    if invited and (invitation := kept_invitation(request)):
        return _accept(request, identity, invitation)
    user_id = base.user_with_email(identity.email) if identity.email else None
    if user_id is None:
        raise NotLoggedIn(
            "unknown",
            f"{offered()} knows you, but no account here is connected to it. Log in another way and connect it on the "
            "page about your account, or ask whoever looks after your organisation's staff for an invitation.",
        )
    _bind(request, identity, user_id)
    return user_id


def _accept(request: Request, identity: Identity, invited: base.Invited) -> int:
    """Use an invitation up: from now on this identity is how the user logs in, and whatever was lost counts no more."""
    from joinery.site.second_factor import forget_factors

    _bind(request, identity, invited.user_id)
    try:
        actions.accept_invitation(
            invitation_id=invited.invitation_id, password=None, actor=Actor.user(invited.user_id), at=request.at
        )
    except Refused as refused:
        raise NotLoggedIn(refused.code, refused.message) from None
    forget_factors(request, invited.user_id)
    return invited.user_id


def _bind(request: Request, identity: Identity, user_id: int) -> None:
    try:
        actions.bind_identity(
            user_id=user_id, issuer=identity.issuer, subject=identity.subject,
            actor=Actor.user(user_id), at=request.at,
        )  # fmt: skip
    except Refused as refused:
        raise NotLoggedIn(refused.code, refused.message) from None


def _identity(request: Request, started: Mapping[str, Any]) -> Identity:
    """Who the provider says is there, for the code that it sent."""
    import requests
    from authlib.common.errors import AuthlibBaseError
    from joserfc.errors import JoseError

    try:
        client = _client(request)
        token = client.fetch_token(
            _metadata()["token_endpoint"], code=request.GET["code"], code_verifier=started["verifier"]
        )
        claims = _claims(request, token, started["nonce"])
        email = _email(client, claims) if settings.OIDC["trust_email"] == "yes" else ""
        subject = str(claims["sub"])
        if not 0 < len(subject) <= MOST_OF_SUBJECT:
            raise ValueError("sub")
    except requests.RequestException as error:
        raise NotLoggedIn(f"unreachable:{type(error).__name__}", _silent()) from None
    except (AuthlibBaseError, JoseError, KeyError, TypeError, ValueError) as error:
        said = f"{offered()} said something that could not be checked. Start again, and get help if it happens again."
        raise NotLoggedIn(f"token:{type(error).__name__}", said) from None
    return Identity(settings.OIDC["issuer"], subject, email, _is_strong(claims))


def _silent() -> str:
    return f"{offered()} did not answer. Try again in some minutes, or log in another way."


def _client(request: Request) -> Any:
    """A client of the provider. It shows who it is by a secret, or by a statement signed with its private key."""
    from authlib.integrations.requests_client import OAuth2Session
    from authlib.oauth2.rfc7523 import PrivateKeyJWT

    said = settings.OIDC
    method = "private_key_jwt" if said["key"] else "client_secret_basic"
    client = OAuth2Session(
        said["client_id"], _private_key() if said["key"] else Path(said["secret"]).read_text("utf-8").strip(),
        token_endpoint_auth_method=method, code_challenge_method="S256", scope=said["scope"],
        redirect_uri=request.build_absolute_uri(url("oidc_back")), default_timeout=TIMEOUT_SECONDS,
    )  # fmt: skip
    if said["key"]:
        claims = {"exp": int(request.at.timestamp()) + ASSERTION_SECONDS}
        headers = {"kid": said["key_id"]} if said["key_id"] else {}
        algorithm = _algorithm(client.client_secret.key_type)
        client.register_client_auth_method(PrivateKeyJWT(claims=claims, headers=headers, alg=algorithm))
    return client


def _private_key() -> Any:
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, RSAKey

    pem = Path(settings.OIDC["key"]).read_bytes()
    for kind in (RSAKey, ECKey):
        try:
            return kind.import_key(pem)
        except (JoseError, TypeError, ValueError):
            continue
    raise NotLoggedIn("key", "The private key of this service cannot be read. Tell whoever runs it.")


def _algorithm(key_type: str) -> str:
    """The strongest signature with a key of this type that the provider takes."""
    kinds = {"RSA": ("PS512", "RS512", "PS256", "RS256"), "EC": ("ES512", "ES384", "ES256")}
    taken = _metadata().get("token_endpoint_auth_signing_alg_values_supported") or ["RS256", "ES256"]
    return next((each for each in kinds[key_type] if each in taken), kinds[key_type][-1])


def _metadata() -> dict[str, Any]:
    """What the provider says of itself: its addresses and what it can do."""
    return cast(dict[str, Any], cache.get_or_set("oidc:metadata", _discovered, KNOWN_SECONDS))


def _discovered() -> dict[str, Any]:
    issuer = settings.OIDC["issuer"]
    found = _get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if found.get("issuer") != issuer:
        raise NotLoggedIn("issuer", f"{offered()} gives another name than the one that is set. Tell whoever runs this.")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if urlsplit(str(found.get(name))).scheme != urlsplit(issuer).scheme:
            raise NotLoggedIn(f"endpoint:{name}", f"{offered()} is not set up as it should be. Tell whoever runs this.")
    return found


def _keys(fresh: bool = False) -> dict[str, Any]:
    if fresh:
        cache.delete("oidc:keys")
    return cast(dict[str, Any], cache.get_or_set("oidc:keys", lambda: _get(_metadata()["jwks_uri"]), KNOWN_SECONDS))


def _get(address: str, **headers: str) -> dict[str, Any]:
    import requests

    try:
        answer = requests.get(address, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        answer.raise_for_status()
        found = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise NotLoggedIn(f"unreachable:{type(error).__name__}", _silent()) from None
    return found if isinstance(found, dict) else {}


def _claims(request: Request, token: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
    """The claims of the ID token, once its signature, issuer, audience, time and nonce were checked."""
    from authlib.oidc.core import CodeIDToken
    from joserfc import jwt
    from joserfc.errors import BadSignatureError, InvalidKeyIdError
    from joserfc.jwk import KeySet

    told = _metadata().get("id_token_signing_alg_values_supported") or ["RS256"]
    algorithms = [each for each in SIGNATURES if each in told]
    try:
        read = jwt.decode(token["id_token"], KeySet.import_key_set(cast(Any, _keys())), algorithms=algorithms)
    except (BadSignatureError, InvalidKeyIdError, ValueError):
        # Providers change their keys; those that were known an hour ago may be no more.
        read = jwt.decode(token["id_token"], KeySet.import_key_set(cast(Any, _keys(fresh=True))), algorithms=algorithms)
    said = settings.OIDC
    options = {
        "iss": {"essential": True, "value": said["issuer"]},
        "aud": {"essential": True, "value": said["client_id"]},
        "sub": {"essential": True},
        "exp": {"essential": True},
    }
    params = {"nonce": nonce, "client_id": said["client_id"], "access_token": token.get("access_token")}
    claims = CodeIDToken(read.claims, read.header, options, params)
    claims.validate(now=int(request.at.timestamp()), leeway=LEEWAY_SECONDS)
    return cast(Mapping[str, Any], claims)


def _email(client: Any, claims: Mapping[str, Any]) -> str:
    """The email address that the provider has verified, which it may say in the token or only when asked."""
    said: Mapping[str, Any] = claims
    if "email" not in said and (address := _metadata().get("userinfo_endpoint")):
        said = _get(address, Authorization=f"Bearer {client.token['access_token']}")
        if said.get("sub") != claims["sub"]:
            return ""
    return str(said.get("email", "")) if said.get("email_verified") is True else ""


def _is_strong(claims: Mapping[str, Any]) -> bool:
    """Whether the claim that JOINERY_OIDC_STRONG names says that a second factor was used."""
    name, _, values = settings.OIDC["strong"].partition("=")
    said = claims.get(name) if name else None
    return bool({str(each) for each in (said if isinstance(said, list) else [said])} & set(values.split(",")))
