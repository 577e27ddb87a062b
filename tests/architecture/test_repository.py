"""What git carries: no keys, no databases, nothing large, no lock file that records a registry."""

from __future__ import annotations

import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

NOT_CARRIED = ("*.key", "*.keys", "*.pem", "*.sqlite3*", "*.joinery", "joinery-data/*", "uv.lock", "*pylock*.toml")
LARGEST_BYTES = 1_000_000


def unwanted(root: Path, paths: list[str]) -> list[str]:
    """Those of the paths under `root` that git should not carry, with the reason."""
    found = [f"{path} is like {like}" for path in paths for like in NOT_CARRIED if fnmatch(path, like)]
    sizes = {path: (root / path).stat().st_size for path in paths if (root / path).is_file()}
    return found + [f"{path} has {size:,} bytes" for path, size in sizes.items() if size > LARGEST_BYTES]


def test_git_carries_nothing_unwanted() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is not a git clone")
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert unwanted(ROOT, listed.stdout.strip("\0").split("\0")) == []


def test_what_is_unwanted_is_found(tmp_path: Path) -> None:
    (tmp_path / "large.json").write_bytes(b"0" * 1_000_001)
    assert len(unwanted(tmp_path, ["joinery/__init__.py", "here/django.key", "uv.lock", "large.json"])) == 3
