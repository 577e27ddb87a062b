"""Log lines as JSON, one a line, with nothing in them about a person.

Messages are logged without their arguments and exceptions without their text: both may carry what
somebody typed. The type and the places in the code are enough to find a fault by, with the reference
that the page shows.
"""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime

import orjson

# Loggers whose messages are templates, filled in from arguments. Django's security logger fills them in itself.
_TEMPLATES = ("joinery.", "django.")
_FILLED_IN = "django.security."


class JsonFormatter(logging.Formatter):
    """One JSON object a line. What a caller wants kept it passes as `extra={"kept": {...}}`."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": _event(record),
            **getattr(record, "kept", {}),
        }
        reference = getattr(getattr(record, "request", None), "reference", None)
        if reference:
            line["reference"] = reference
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            line["where"] = [f"{frame.filename.rpartition('joinery')[2]}:{frame.lineno}" for frame in frames[-8:]]
        return orjson.dumps(line, default=str).decode()


def _event(record: logging.LogRecord) -> str:
    name = f"{record.name}."
    if isinstance(record.msg, str) and name.startswith(_TEMPLATES) and not name.startswith(_FILLED_IN):
        return record.msg
    return f"{record.module}:{record.lineno}"
