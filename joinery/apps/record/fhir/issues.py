"""Making issues: what the checks of FHIR report, cut to length."""

import re
from json import JSONEncoder
from typing import Any

from joinery.apps.record.rows import Issue

VALUE_CHARACTERS = 80
PATH_CHARACTERS = 300
JSON = JSONEncoder(ensure_ascii=False)
STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


def issue(path: str, rule: str, value: Any, message: str) -> Issue:
    """An Issue with its path and value cut to length. A value of None is shown as nothing."""
    return Issue(shorten(path, PATH_CHARACTERS), rule, show(value), message)


def shorten(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"


def show(value: Any) -> str:
    """A parsed JSON value as text. Of a large one no more is written out than is shown."""
    if value is None:
        return ""
    if isinstance(value, str):
        return shorten(value, VALUE_CHARACTERS)
    text = ""
    for part in JSON.iterencode(value):
        text += part
        if len(text) > VALUE_CHARACTERS:
            break
    return shorten(text, VALUE_CHARACTERS)


def value_at(resource: Any, path: str) -> Any:
    """What stands at a path such as Patient.name[0].family; None where nothing does."""
    here = resource
    for name, index in STEP.findall(path):
        if name and isinstance(here, dict):
            here = here.get(name)
        elif index and isinstance(here, list) and int(index) < len(here):
            here = here[int(index)]
        else:
            return None
    return here
