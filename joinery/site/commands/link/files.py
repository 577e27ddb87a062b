"""`joinery link files`: an analyst's own files, linked without a deployment."""

from __future__ import annotations

import argparse
from typing import Any

from joinery.site.commands import Problem


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Link the files and write the clusters."""
    raise Problem("joinery link files is being written.")
