"""The systems outside that may send messages, and where ours go: a file of digests of keys, and `bars.toml`."""

from __future__ import annotations

import hashlib
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import orjson

from joinery.definitions import parsed

KEY_BYTES = 32
FILE = "bars.toml"


class Elsewhere(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a body outside takes messages, and for each body of ours the file of the key with which it goes there."""

    endpoint: str
    keys: Mapping[str, str] = {}


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `bars.toml` in the deployment's folder says: bodies outside, by code, and our services by other ids."""

    organisations: Mapping[str, Elsewhere] = {}
    services: Mapping[str, str] = {}


class NotSetUp(Exception):
    """Messages cannot be sent; the words say what to do."""


def known(data: Path) -> Known:
    """What the deployment's `bars.toml` says; nothing without one. Raises NotSetUp when it is wrong."""
    path = data / FILE
    try:
        said = parsed(path.read_text("utf-8"), Known) if path.exists() else Known()
    except (OSError, UnicodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise NotSetUp(f"{path} cannot be read: {error}") from None
    for code, elsewhere in said.organisations.items():
        address = urlsplit(elsewhere.endpoint)
        if not address.hostname or (address.scheme != "https" and address.hostname not in ("127.0.0.1", "localhost")):
            raise NotSetUp(f"{path}: the endpoint of {code} must begin with https://")
        for ours, key in elsewhere.keys.items():
            if not (data / key).is_file():
                raise NotSetUp(f"{path}: there is no file {key} with the key of {ours} for {code}")
    return said


def new_key(keys: Path, organisation: str) -> str:
    """A key for the system of an organisation, of which only the digest is kept; an earlier one serves no more."""
    key = secrets.token_urlsafe(KEY_BYTES)
    digests = {code: digest for code, digest in _digests(keys).items() if code != organisation}
    new = keys / f"bars.json.{secrets.token_hex(8)}"
    new.touch(mode=0o600)
    new.write_bytes(orjson.dumps(digests | {organisation: _digest(key)}, option=orjson.OPT_INDENT_2))
    new.replace(keys / "bars.json")
    return key


def whose_key(keys: Path, key: str) -> str:
    """The code of the organisation whose system has this key; empty when nobody's has."""
    digest = _digest(key)
    return next((c for c, known in _digests(keys).items() if secrets.compare_digest(known, digest)), "")


def _digests(keys: Path) -> dict[str, str]:
    path = keys / "bars.json"
    return orjson.loads(path.read_bytes()) if path.exists() else {}


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
