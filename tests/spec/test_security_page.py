"""What SECURITY.md says there is, of keys, logs and others that are spoken with, is what there is."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

from joinery.apps.base.keys import Keys
from joinery.apps.base.seal import LOGS
from joinery.site import settings as module
from joinery.site.idle import IDLE, LONGEST

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text("utf-8")


def section(heading: str) -> str:
    """What stands under a heading."""
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_every_key_stands_there_with_how_it_is_changed(tmp_path: Path) -> None:
    Keys(tmp_path).key()
    made = {path.name for folder in (tmp_path, settings.KEYS) for path in folder.iterdir()}
    variables = set(re.findall(r"JOINERY_\w+(?:SECRET|PASSWORD|KEY|CERT)\b", str(module.__doc__)))
    assert {"django.key", "seal.key"} <= made and len(variables) >= 6
    assert {each for each in made | variables if f"`{each}`" not in section("Keys")} == set()
    for row in re.findall(r"^\| .*", section("Keys"), re.M)[2:]:
        assert len(row.split("|")) == 6 and all(cell.strip() for cell in row.split("|")[1:5]), row


def test_every_log_stands_there_with_how_long_it_is_kept() -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "joinery").rglob("*.py"))
    loggers = set(re.findall(r'getLogger\("(joinery\.\w+)"\)', code))
    tables = {*(log._meta.db_table for log in LOGS), "base_accountevent"}
    assert len(loggers) > 5 and len(tables) == 4
    assert {each for each in loggers | tables if f"`{each}`" not in section("Logs")} == set()
    assert set(settings.LOGGING["handlers"]) == {"stderr"}


def test_whom_it_speaks_with_stands_there() -> None:
    named = set(re.findall(r"`(JOINERY_\w+)`: .*(?:the address|postgresql://)", str(module.__doc__)))
    assert {"JOINERY_MESH_URL", "JOINERY_OIDC_ISSUER", "JOINERY_DATABASE"} <= named
    assert {each for each in named if f"`{each.removesuffix('_OWNER')}`" not in section("With whom it speaks")} == set()


def test_how_long_a_session_lasts_and_how_guessing_is_slowed_are_as_they_are() -> None:
    said = section("Logging in and sessions")
    assert f"{IDLE.seconds // 60} minutes without use" in said and f"after {LONGEST.seconds // 3600} hours" in said
    limits = settings.ACCOUNT_RATE_LIMITS
    assert limits == {"login": "120/m/ip", "login_failed": "60/m/ip,5/5m/key"}
    assert "After 5 failures" in said and "60 failures or 120 tries a minute" in said
    assert "as many sessions as they like" in said and "neither ends with it nor ends it" in said
