"""Logging in with an identity of another provider, end to end against a provider that is really asked."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.core.cache import cache
from django.test import Client
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from joinery.apps.base.actions import add_user, bind_identity, end_user, invite
from joinery.apps.base.columns import select
from joinery.apps.base.facts import user_with_identity
from joinery.apps.place.actions import add_membership
from tests.pages.identity_provider import CLIENT, Claims, Provider, User, served
from tests.pages.world import ACTOR, SURGERY, World

EMAIL = "asha@quay.example"
USERS = [
    User(sub="asha", claims={"email": EMAIL, "email_verified": True}),
    User(sub="unverified", claims={"email": EMAIL, "email_verified": False}),
    User(sub="stranger", claims={"email": "stranger@elsewhere.example", "email_verified": True}),
]


@pytest.fixture(scope="module")
def one_provider() -> Iterator[Provider]:
    with served(Provider(USERS)) as provider:
        yield provider


@pytest.fixture
def provider(one_provider: Provider, settings: Any, tmp_path: Path) -> Provider:
    """The provider, honest again, and this deployment its client by a secret."""
    cache.clear()
    one_provider.says, one_provider.signs, one_provider.client_key = (lambda claims: claims), None, None
    secret = tmp_path / "secret"
    secret.write_text("a secret\n")
    settings.OIDC = {
        "issuer": one_provider.address, "client_id": CLIENT, "secret": str(secret), "key": "", "key_id": "",
        "name": "Vale identity", "scope": "openid email", "ask": "", "strong": "", "trust_email": "no",
    }  # fmt: skip
    return one_provider


@pytest.fixture
def asha(world: World) -> int:
    user_id = add_user(email=EMAIL, name="Asha Rao", password="correct horse battery", actor=ACTOR, at=world.at)
    add_membership(
        user_id=user_id, organisation_code=SURGERY, role="gp", from_date=world.at.date(), actor=ACTOR, at=world.at
    )
    return user_id


@pytest.fixture
def bound(asha: int, provider: Provider, world: World) -> int:
    bind_identity(user_id=asha, issuer=provider.address, subject="asha", actor=ACTOR, at=world.at)
    return asha


def at_provider(client: Client, subject: str, start: str = "/log-in/identity/") -> str:
    """Go to the provider and say there who one is; where it sends the browser back to."""
    answer = client.get(start)
    assert answer.status_code == 302, answer.content
    back = requests.post(answer["Location"], data={"sub": subject}, allow_redirects=False, timeout=10)
    assert back.headers["Location"].startswith("http://testserver/log-in/identity/back/?")
    return back.headers["Location"].removeprefix("http://testserver")


def log_in(client: Client, subject: str, start: str = "/log-in/identity/") -> Any:
    return client.get(at_provider(client, subject, start))


def is_logged_in(client: Client) -> bool:
    return client.get("/place/").status_code == 200


def test_who_was_bound_logs_in_and_goes_on_to_where_they_were(bound: int) -> None:
    client = Client()
    assert "Log in with Vale identity" in client.get("/log-in/?next=/place/").content.decode()
    assert log_in(client, "asha", "/log-in/identity/?next=/place/")["Location"] == "/place/"
    assert client.session["_auth_user_id"] == str(bound)
    assert log_in(Client(), "asha", "/log-in/identity/?next=https://elsewhere.example/")["Location"] == "/"


def test_nobody_signs_up(world: World, asha: int, provider: Provider) -> None:
    for subject in ("asha", "stranger", "unverified"):
        client = Client()
        answer = log_in(client, subject)
        assert answer.status_code == 403
        assert "no account here is connected" in answer.content.decode()
        assert not is_logged_in(client)


def test_a_verified_email_address_binds_where_the_provider_is_trusted_for_it(
    asha: int, provider: Provider, settings: Any
) -> None:
    settings.OIDC["trust_email"] = "yes"
    assert log_in(Client(), "unverified").status_code == log_in(Client(), "stranger").status_code == 403
    client = Client()
    assert log_in(client, "asha")["Location"] == "/"
    assert is_logged_in(client)
    assert user_with_identity(provider.address, "asha") == asha


def test_an_invitation_binds_once(world: World, asha: int, provider: Provider) -> None:
    code = invite(user_id=asha, actor=ACTOR, at=world.at)

    def with_invitation(subject: str, start: str = "/log-in/identity/?invited") -> Any:
        client = Client()
        assert client.post("/invitation/", {"code": code})["Location"] == "/invitation/"
        return log_in(client, subject, start)

    assert with_invitation("stranger", "/log-in/identity/").status_code == 403
    assert with_invitation("stranger")["Location"] == "/"
    assert user_with_identity(provider.address, "stranger") == asha
    again = Client().post("/invitation/", {"code": code}).content.decode()
    assert "was used already" in again


def test_from_an_account_one_connects_ones_own_identity_and_nobody_elses(world: World, bound: int) -> None:
    other = add_user(
        email="other@quay.example", name="Other", password="correct horse battery", actor=ACTOR, at=world.at
    )
    client = Client()
    client.post("/log-in/", {"login": "other@quay.example", "password": "correct horse battery"})
    taken = log_in(client, "asha")
    assert (taken.status_code, "belongs to another account" in taken.content.decode()) == (403, True)
    back = at_provider(client, "stranger")
    assert client.get(back)["Location"] == "/account/"
    assert "Connected" in client.get("/account/").content.decode()
    assert select("SELECT user_id FROM base_identity WHERE subject = 'stranger'") == [(other,)]
    session = client.session
    session["account_authentication_methods"][-1]["at"] = time.time() - 400
    session.save()
    assert client.get("/log-in/identity/")["Location"].startswith("/log-in/again/")


def test_an_account_that_was_ended_stays_ended(bound: int, world: World) -> None:
    end_user(user_id=bound, actor=ACTOR, at=world.at)
    client = Client()
    assert log_in(client, "asha")["Location"] == "/log-in/inactive/"
    assert not is_logged_in(client)


def test_the_providers_second_factor_counts_where_a_claim_says_that_it_was_used(
    bound: int, provider: Provider, settings: Any
) -> None:
    settings.SECOND_FACTOR = True
    settings.OIDC["strong"] = "acr=AAL2,AAL3"
    for claims, onward in (
        ({}, "/account/"),
        ({"acr": "AAL1"}, "/account/"),
        ({"acr": "AAL3"}, ""),
        ({"acr": ["AAL2"]}, ""),
    ):
        provider.says = lambda said, claims=claims: said | claims
        client = Client()
        assert log_in(client, "asha")["Location"] == "/"
        assert client.get("/place/").get("Location", "") == onward, claims


def test_what_else_is_asked_of_the_provider_stands_in_the_address(bound: int, settings: Any) -> None:
    settings.OIDC["ask"] = "acr_values=AAL2&prompt=login"
    asked = parse_qs(urlsplit(Client().get("/log-in/identity/")["Location"]).query)
    assert (asked["acr_values"], asked["prompt"], asked["scope"]) == (["AAL2"], ["login"], ["openid email"])
    assert len(asked["state"][0]) > 30 < len(asked["nonce"][0])


NOW = int(time.time())
LIES: dict[str, Any] = {
    "of another issuer": lambda claims: claims | {"iss": "https://elsewhere.example"},
    "for another client": lambda claims: claims | {"aud": "other"},
    "for several clients": lambda claims: claims | {"aud": [CLIENT, "other"]},
    "for another party": lambda claims: claims | {"azp": "other"},
    "expired": lambda claims: claims | {"iat": NOW - 7200, "exp": NOW - 3600},
    "of tomorrow": lambda claims: claims | {"iat": NOW + 86_400, "exp": NOW + 90_000},
    "of another log in": lambda claims: claims | {"nonce": "another"},
    "without a nonce": lambda claims: {name: said for name, said in claims.items() if name != "nonce"},
    "without a subject": lambda claims: {name: said for name, said in claims.items() if name != "sub"},
    "of an endless subject": lambda claims: claims | {"sub": "asha" * 100},
    "of no subject": lambda claims: claims | {"sub": ""},
    "without an end": lambda claims: {name: said for name, said in claims.items() if name != "exp"},
    "of another token": lambda claims: claims | {"at_hash": "AAAA"},
}


def forged(provider: Provider) -> dict[str, Any]:
    other = RSAKey.generate_key(2048, {"kid": provider.key.kid})
    public = provider.key.as_pem(private=False)

    def relabelled(claims: Claims, algorithm: str) -> str:
        head = base64.urlsafe_b64encode(json.dumps({"alg": algorithm}).encode()).decode().rstrip("=")
        return f"{head}.{provider.sign(claims).split('.')[1]}"

    def by_public_key(claims: Claims) -> str:
        signed = relabelled(claims, "HS256")
        digest = hmac.digest(public, signed.encode(), "sha256")
        return f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"

    return {
        "with another key": lambda claims: jwt.encode({"alg": "RS256", "kid": other.kid}, claims, other),
        "with a key nobody knows": lambda claims: jwt.encode({"alg": "RS256", "kid": "x"}, claims, other),
        "with the public key as a secret": by_public_key,
        "not at all": lambda claims: f"{relabelled(claims, 'none')}.",
        "by nonsense": lambda claims: "not.a.token",
        "by nothing": lambda claims: "",
    }


def test_a_token_that_is_false_in_any_way_lets_nobody_in(bound: int, provider: Provider) -> None:
    for how, says in LIES.items():
        provider.says = says
        client = Client()
        answer = log_in(client, "asha")
        assert (answer.status_code, is_logged_in(client)) == (403, False), how
        assert "could not be checked" in answer.content.decode(), how
    provider.says = lambda claims: claims
    for how, signs in forged(provider).items():
        provider.signs = signs
        client = Client()
        assert (log_in(client, "asha").status_code, is_logged_in(client)) == (403, False), how
    provider.signs = None
    assert log_in(Client(), "asha").status_code == 302


def test_an_answer_counts_once_and_only_in_the_browser_that_asked(bound: int) -> None:
    client, thief = Client(), Client()
    back = at_provider(client, "asha")
    assert thief.get(back).status_code == 403
    thief.get("/log-in/identity/")
    assert "another log in" in thief.get(back).content.decode()
    assert client.get(back.replace("state=", "state=x")).status_code == 403
    assert client.get(back).status_code == 403
    back = at_provider(client, "asha")
    assert client.get(back).status_code == 302
    client.post("/log-out/")
    assert client.get(back).status_code == 403
    for odd in ("", "?code=x", "?state=%00&code=%00", "?error=access_denied&state=x", "?state=é&code=é"):
        assert client.get(f"/log-in/identity/back/{odd}").status_code == 403
    assert not is_logged_in(client)


def test_an_answer_that_took_too_long_or_that_refuses_is_said_in_words(bound: int) -> None:
    client = Client()
    back = at_provider(client, "asha")
    session = client.session
    session["oidc"] = session["oidc"] | {"at": session["oidc"]["at"] - 601}
    session.save()
    assert "too long ago" in client.get(back).content.decode()
    started = client.get("/log-in/identity/")["Location"]
    refused = requests.post(started, data={"action": "deny"}, allow_redirects=False, timeout=10).headers["Location"]
    state = parse_qs(urlsplit(started).query)["state"][0]
    refused += "" if "state=" in refused else f"&state={state}"
    answer = client.get(refused.removeprefix("http://testserver"))
    assert "Vale identity did not let you in" in answer.content.decode()


def test_the_provider_may_change_its_keys(bound: int, provider: Provider) -> None:
    assert log_in(Client(), "asha").status_code == 302
    provider.key = RSAKey.generate_key(2048, {"kid": "second"})
    assert log_in(Client(), "asha").status_code == 302


@pytest.mark.parametrize("kind", ["RSA", "EC"])
def test_a_private_key_shows_who_we_are_instead_of_a_secret(
    bound: int, provider: Provider, settings: Any, tmp_path: Path, kind: str
) -> None:
    key = RSAKey.generate_key(2048) if kind == "RSA" else ECKey.generate_key("P-256")
    other = RSAKey.generate_key(2048) if kind == "RSA" else ECKey.generate_key("P-256")
    pem = tmp_path / "key.pem"
    pem.write_bytes(key.as_pem(private=True))
    settings.OIDC |= {"secret": "", "key": str(pem), "key_id": "joinery-1"}
    provider.client_key = other
    assert log_in(Client(), "asha").status_code == 403
    provider.client_key = key
    provider.seen.clear()
    client = Client()
    assert log_in(client, "asha")["Location"] == "/"
    assert is_logged_in(client)
    log_in(Client(), "asha")
    first, second = provider.seen
    assert first["kid"] == "joinery-1"
    assert 0 < first["exp"] - time.time() <= 300
    assert first["jti"] != second["jti"]


def test_a_provider_that_is_down_or_is_another_is_said_in_words(bound: int, settings: Any) -> None:
    settings.OIDC |= {"issuer": settings.OIDC["issuer"] + "/"}
    answer = Client().get("/log-in/identity/")
    assert (answer.status_code, "another name" in answer.content.decode()) == (403, True)
    cache.clear()
    settings.OIDC |= {"issuer": "http://localhost:9"}
    answer = Client().get("/log-in/identity/")
    assert (answer.status_code, "did not answer" in answer.content.decode()) == (403, True)


def test_without_a_provider_nothing_is_offered(world: World) -> None:
    assert "identity" not in Client().get("/log-in/").content.decode()
    assert Client().get("/log-in/identity/")["Location"] == "/log-in/"


def test_nothing_of_an_identity_is_logged(bound: int, provider: Provider, caplog: Any) -> None:
    provider.says = LIES["expired"]
    log_in(Client(), "asha")
    log_in(Client(), "stranger")
    ours = [record.__dict__ for record in caplog.records if record.name.startswith("joinery")]
    said = json.dumps([{name: str(value) for name, value in each.items()} for each in ours])
    assert "token:ExpiredTokenError" in said
    assert "stranger" not in said
    assert EMAIL not in said
