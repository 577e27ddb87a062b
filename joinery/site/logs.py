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


class JsonFormatter(logging.Formatter):
    """One JSON object a line. What a caller wants kept it passes as `extra={"kept": {...}}`."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": str(record.msg),
            **getattr(record, "kept", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            line["where"] = [f"{frame.filename.rpartition('joinery')[2]}:{frame.lineno}" for frame in frames[-8:]]
        return orjson.dumps(line, default=str).decode()
