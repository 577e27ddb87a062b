"""What a deployment says of logging in, and what is asked where it says nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support import ROOT

ISSUER = "https://identity.example"


def said(folder: Path, shown: str, **variables: str) -> str:
    """A setting, or the error, under these variables of the environment alone."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("JOINERY_")}
    env = kept | {"JOINERY_DATA": str(folder), "PYTHONPATH": str(ROOT)} | variables
    code = f"from joinery.site import settings as s; print({shown})"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr.splitlines()[-1]).strip()


def test_a_real_place_asks_for_a_second_factor_and_a_demonstration_does_not(tmp_path: Path) -> None:
    assert said(tmp_path, "s.SECOND_FACTOR") == "True"
    assert said(tmp_path, "s.SECOND_FACTOR", JOINERY_SECOND_FACTOR="nobody") == "False"
    assert "one of: staff, nobody" in said(tmp_path, "", JOINERY_SECOND_FACTOR="none")
    (tmp_path / "demo.json").write_text("{}")
    assert said(tmp_path, "s.SECOND_FACTOR") == "False"


def test_behind_host_names_one_proxy_is_counted_and_cookies_are_bound_to_the_host(tmp_path: Path) -> None:
    shown = "s.ALLAUTH_TRUSTED_PROXY_COUNT, getattr(s, 'SESSION_COOKIE_NAME', '')"
    assert said(tmp_path, shown) == "0"
    assert said(tmp_path, shown, JOINERY_HOSTS="joinery.example") == "1 __Host-sessionid"
    assert said(tmp_path, shown, JOINERY_HOSTS="joinery.example", JOINERY_PROXIES="2") == "2 __Host-sessionid"
    assert "whole number of proxies" in said(tmp_path, "", JOINERY_PROXIES="one")


def test_browsers_use_https_for_hosts_below_only_where_the_place_says_so(tmp_path: Path) -> None:
    shown = "s.SECURE_HSTS_SECONDS, s.SECURE_HSTS_INCLUDE_SUBDOMAINS"
    assert said(tmp_path, shown, JOINERY_HOSTS="joinery.example") == "31536000 False"
    assert said(tmp_path, shown, JOINERY_HOSTS="joinery.example", JOINERY_SUBDOMAINS="yes") == "31536000 True"
    assert "one of: no, yes" in said(tmp_path, "", JOINERY_SUBDOMAINS="perhaps")


def test_half_an_identity_provider_is_an_error_that_says_what_is_missing(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    whole = {"JOINERY_OIDC_ISSUER": ISSUER, "JOINERY_OIDC_CLIENT_ID": "us", "JOINERY_OIDC_SECRET": str(secret)}
    assert said(tmp_path, "s.OIDC") == "{}"
    assert said(tmp_path, "s.OIDC['name'], s.OIDC['trust_email']", **whole) == "NHS or council account no"
    for wrong, words in (
        ({"JOINERY_OIDC_CLIENT_ID": ""}, "set JOINERY_OIDC_CLIENT_ID"),
        ({"JOINERY_OIDC_SECRET": ""}, "either JOINERY_OIDC_SECRET or JOINERY_OIDC_KEY"),
        ({"JOINERY_OIDC_KEY": str(secret)}, "either JOINERY_OIDC_SECRET or JOINERY_OIDC_KEY"),
        ({"JOINERY_OIDC_SECRET": "nowhere"}, "There is no file nowhere"),
        ({"JOINERY_OIDC_ISSUER": "http://identity.example"}, "begins with https://"),
        ({"JOINERY_OIDC_TRUST_EMAIL": "perhaps"}, "one of: no, yes"),
    ):
        assert words in said(tmp_path, "", **whole | wrong), wrong


def test_the_command_line_starts_without_what_only_logging_in_needs() -> None:
    heavy = "('authlib', 'joserfc', 'requests', 'fido2', 'cryptography', 'qrcode')"
    code = (
        "import sys, joinery.__main__ as m\n"
        "try: m.main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print([each for each in {heavy} if each in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == "[]"
