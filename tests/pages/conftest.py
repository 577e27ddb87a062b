"""What tests of pages share: built static files, a place in the test's transaction, a served demonstration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.core.management import call_command

if TYPE_CHECKING:
    from tests.pages.world import World


@pytest.fixture(scope="session")
def static_files() -> None:
    """Pages name style sheets by digest, from the list that `joinery migrate` makes."""
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    call_command("collectstatic", verbosity=0, interactive=False)


@pytest.fixture
def world(db: None, static_files: None, tmp_path: Path) -> World:
    """A place with its organisations, in the test's transaction."""
    from tests.pages.world import World  # pytest reads this file before Django is set up

    return World(tmp_path)
