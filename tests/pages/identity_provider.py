"""An identity provider for tests: oidc-provider-mock, with what it leaves out, and able to lie.

It checks PKCE and `private_key_jwt`, which the mock does not, and signs its ID tokens anew, so that a test may say
what stands in them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import oidc_provider_mock
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from oidc_provider_mock import User
from werkzeug.serving import make_server
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response

CLIENT = "joinery-test"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
Claims = dict[str, Any]
Signer = Callable[[Claims], str]


@dataclass
class Provider:
    """What it does to a token is `says`; whose statements it takes instead of a secret is `client_key`."""

    users: list[User]
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "first"}))
    client_key: Any = None
    says: Callable[[Claims], Claims] = lambda claims: claims
    signs: Signer | None = None
    address: str = ""
    seen: list[Claims] = field(default_factory=list)
    _challenges: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.mock = oidc_provider_mock.app(user_claims=self.users, require_nonce=True)
        self.mock.debug = False

    def sign(self, claims: Claims) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        answer = {
            "/jwks": self._jwks,
            "/oauth2/token": self._token,
            "/oauth2/authorize": self._authorize,
        }.get(request.path, self._passed_on)(request)
        return answer(environ, start_response)

    def _passed_on(self, request: Request, **changed: Any) -> Response:
        body, status, headers = run_wsgi_app(self.mock.wsgi_app, request.environ | changed)
        return Response(body, status, headers)

    def _jwks(self, request: Request) -> Response:
        keys = KeySet([self.key]).as_dict(private=False)
        return Response(json.dumps(keys), content_type="application/json")

    def _authorize(self, request: Request) -> Response:
        answer = self._passed_on(request)
        if answer.status_code == 302 and (code := parse_qs(urlsplit(answer.location).query).get("code")):
            assert request.args["code_challenge_method"] == "S256"
            self._challenges[code[0]] = request.args["code_challenge"]
        return answer

    def _token(self, request: Request) -> Response:
        form = dict(parse_qsl(request.get_data(as_text=True)))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = self._challenges.pop(form.get("code", ""), "")
        if challenge != base64.urlsafe_b64encode(digest).decode().rstrip("="):
            return _refused("invalid_grant")
        changed: dict[str, Any] = {}
        if self.client_key is not None:
            assertion = form.pop("client_assertion", "")
            if form.pop("client_assertion_type", "") != ASSERTION or not self._is_client(assertion):
                return _refused("invalid_client")
            changed["HTTP_AUTHORIZATION"] = "Basic " + base64.b64encode(f"{CLIENT}:x".encode()).decode()
        body = urlencode(form).encode()
        # Read from a copy: the stream of the request itself is at its end.
        answer = self._passed_on(request, **changed, **_with_body(body))
        said = json.loads(answer.get_data())
        if "id_token" in said:
            claims = jwt.decode(said["id_token"], _unchecked(self.mock, said["id_token"])).claims
            said["id_token"] = (self.signs or self.sign)(self.says(claims))
        return Response(json.dumps(said), answer.status_code, content_type="application/json")

    def _is_client(self, assertion: str) -> bool:
        try:
            read = jwt.decode(assertion, self.client_key, algorithms=["RS256", "PS256", "ES256"])
        except Exception:
            return False
        self.seen.append(read.header | read.claims)
        claims = read.claims
        return claims["iss"] == claims["sub"] == CLIENT and claims["aud"] == f"{self.address}/oauth2/token"


def _with_body(body: bytes) -> dict[str, Any]:
    from io import BytesIO

    return {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}


def _unchecked(mock: Any, token: str) -> Any:
    keys = mock.test_client().get("/jwks").get_json()
    return KeySet.import_key_set(keys)


def _refused(error: str) -> Response:
    return Response(json.dumps({"error": error}), 400, content_type="application/json")


@contextmanager
def served(provider: Provider) -> Iterator[Provider]:
    """The provider at an address of its own on this machine."""
    server = make_server("localhost", 0, provider, threaded=True)
    provider.address = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
