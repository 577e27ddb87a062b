"""`joinery link explain`: every link of a person in words and bits, or why two records are apart."""

from __future__ import annotations

import argparse
from typing import Any

from joinery.site.commands import Problem
from joinery.site.commands.place.common import get_ready


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Explain. People and records are numbers here: nothing that is printed names anybody."""
    get_ready()
    raise Problem("joinery link explain is being written.")
