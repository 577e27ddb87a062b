"""Look at people in a demonstration as its users: `python look.py USER/FIELD=VALUE ...`.

Prints, for each, what the search says and the page of the first person found, as JSON.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import django


def look(asked: str) -> dict[str, Any]:
    """Search as a user, and open the first person found."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    user, _, search = asked.partition("/")
    field, _, value = search.partition("=")
    client = Client(SERVER_NAME="localhost")
    client.force_login(get_user_model().objects.get(email=f"{user}@demo.example"))
    results = client.post("/", {field: value}).content.decode()
    links = re.findall(r'href="(/people/[^/"]+/)"', results)
    page = client.get(links[0]).content.decode() if links else ""
    return {"found": len(links), "results": plain(results), "page": plain(page)}


def plain(html: str) -> str:
    """The words of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("&nbsp;", " ").replace("&#39;", "'").split())


if __name__ == "__main__":
    django.setup()
    print(json.dumps({asked: look(asked) for asked in sys.argv[1:]}))  # noqa: T201
