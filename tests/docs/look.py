"""Look at people in a demonstration as one of its users: `python look.py EMAIL FIELD=VALUE`.

Prints what the search says, then the page of the first person found, as JSON.
"""

from __future__ import annotations

import json
import re
import sys

import django


def main(email: str, asked: str) -> None:
    django.setup()
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(get_user_model().objects.get(email=email))
    field, _, value = asked.partition("=")
    results = client.post("/", {field: value}).content.decode()
    links = re.findall(r'href="(/people/[^/"]+/)"', results)
    page = client.get(links[0]).content.decode() if links else ""
    print(json.dumps({"found": len(links), "results": plain(results), "page": plain(page)}))  # noqa: T201


def plain(html: str) -> str:
    """The words of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("&nbsp;", " ").split())


if __name__ == "__main__":
    main(*sys.argv[1:])
