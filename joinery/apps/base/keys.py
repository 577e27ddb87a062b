"""What is secret, or must outlive the database: files in a folder beside it."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Keys:
    """The folder, outside the database, that holds the sealing key and the newest head."""

    folder: Path

    def key(self) -> bytes:
        """The sealing key, made on first use and readable by its owner only."""
        path = self.folder / "seal.key"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._make(path, secrets.token_bytes(32))
        return path.read_bytes()

    def _make(self, path: Path, key: bytes) -> None:
        # Whole or not at all, and never twice: another process may be making it at this moment.
        new = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        new.touch(mode=0o600)
        new.write_bytes(key)
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(new)
        new.unlink()

    def heads(self) -> dict[str, Any]:
        """The newest block known outside the database: its id and head; empty before the first."""
        path = self.folder / "joinery.head"
        return orjson.loads(path.read_bytes()) if path.exists() else {}

    def publish(self, block: int, head: str) -> None:
        """Keep a newer head than the one that is kept."""
        if block <= self.heads().get("block", 0):
            return
        path = self.folder / f"joinery.head.{secrets.token_hex(8)}"
        path.touch(mode=0o600)
        path.write_bytes(orjson.dumps({"block": block, "head": head}))
        path.replace(self.folder / "joinery.head")
