"""What each user of the deployment that the environment names sees: a JSON object on standard output.

Pages are what people were promised, so pages are what is read: each user opens each person. The same
program writes the promises of a version and looks whether a later one keeps them. It runs as a file, in
a process of the deployment's own; its argument is a JSON object of ids of `people`, codes of
`organisations`, and the moment `at` which they are looked at (or null: now). Care ends by its dates, so the
promises of a day are looked at as of that day.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from joinery.site import setup

setup.load()

from django.contrib.auth import get_user_model  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.html import Element, parse_html  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from joinery.apps.place import facts as place  # noqa: E402
from joinery.site.context import demo_users  # noqa: E402

NEWEST = 20
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
NEXT_PAGE = re.compile(r'href="\?*([^"]+)" rel="next"')


def inside(element: Element, name: str = "", **wanted: str) -> Iterator[Element]:
    """Elements within one, in order, with this name and with these words in these attributes (`class_`)."""
    for child in element.children:
        if not isinstance(child, Element):
            continue
        said = dict(child.attributes)
        words = {key: (said.get(key.rstrip("_").replace("_", "-")) or "").split() for key in wanted}
        if name in ("", child.name) and all(word in words[key] for key, word in wanted.items()):
            yield child
        yield from inside(child, name, **wanted)


def text(element: Element) -> str:
    """The words that are seen of an element."""
    if "nhsuk-u-visually-hidden" in (dict(element.attributes).get("class") or "").split():
        return ""
    parts = (text(child) if isinstance(child, Element) else str(child) for child in element.children)
    return " ".join(" ".join(parts).split())


def first_text(element: Element, name: str = "", **wanted: str) -> str:
    """The words of the first such element within, or none."""
    return next((text(each) for each in inside(element, name, **wanted)), "")


def person_page(client: Client, person_id: str) -> dict[str, Any]:
    """What the person's page says to whoever is logged in; only `refused` where it may not be opened."""
    address = reverse("record:person", args=[person_id])
    answer = client.get(address)
    if answer.status_code == 403:
        return {"refused": True}
    page = _read(answer)
    facts = {text(next(inside(d, "dt"))): text(next(inside(d, "dd"))) for d in inside(page, "div") if _is_fact(d)}
    lines = [_line(li) for li in inside(page, "li", class_="app-line")]
    while following := NEXT_PAGE.search(answer.content.decode()):
        answer = client.get(following[1].replace("&amp;", "&"))
        lines += [_line(li) for li in inside(_read(answer), "li", class_="app-line")]
    sources = next(inside(page, "section", aria_labelledby="sources-heading"))
    return {
        "name": first_text(page, class_="app-banner__name"),
        "nhs_number": facts["NHS number"],
        "address": facts["Address"],
        "allergies": _safety(page, "Allergies"),
        "alerts": _safety(page, "Alerts"),
        "sources": sorted(text(each) for each in inside(sources, class_="app-sector")),
        "waits": [[text(next(inside(li, "strong"))), first_text(li, class_="nhsuk-tag")] for li in _waits(page)],
        "lines": len(lines),
        "newest": lines[:NEWEST],
    }


def _read(answer: Any) -> Element:
    assert answer.status_code == 200, answer.status_code
    page: Element = parse_html(answer.content.decode())
    return page


def _is_fact(element: Element) -> bool:
    return [child.name for child in element.children if isinstance(child, Element)] == ["dt", "dd"]


def _waits(page: Element) -> Iterator[Element]:
    """What was asked for the person and is open. What is over stands there for some months only."""
    for section in inside(page, "section", aria_labelledby="next-heading"):
        over = {id(li) for folded in inside(section, "details") for li in inside(folded, "li")}
        yield from (li for li in inside(section, "li") if id(li) not in over)


def _line(line: Element) -> list[str]:
    """When, what, and who says so; of a withheld line only when."""
    when = dict(next(inside(line, "time")).attributes)["datetime"]
    if not list(inside(line, "h3")):
        return [when, "withheld"]
    return [when, first_text(line, "h3"), first_text(line, "a")]


def _safety(page: Element, heading: str) -> dict[str, Any]:
    """Allergies or alerts: which kind of something or nothing, what, said by whom, and how much stands below."""
    section = next(inside(page, "section", aria_label=heading))
    kinds = (dict(section.attributes)["class"] or "").split()
    items = [[first_text(li, "strong"), *map(text, inside(li, class_="app-source"))] for li in inside(section, "li")]
    below = len(list(inside(section, class_="app-safety__also")))
    return {"kinds": sorted(kinds), "items": items, "below": below}


def looks(client: Client, person_id: str) -> list[list[str]]:
    """Who has looked at a person: when, who and in which post, what and why."""
    page = _read(client.get(reverse("record:looked", args=[person_id])))
    rows = [row for row in inside(page, "tr") if list(inside(row, "time"))]
    return [
        [dict(next(inside(row, "time")).attributes)["datetime"], *(text(cell) for cell in list(inside(row, "td"))[1:])]
        for row in rows
    ]


def found(client: Client) -> list[str]:
    """The names that a search for Smith finds; `refused` where the search is."""
    answer = client.post(reverse("record:find"), {"family_name": "Smith"})
    return sorted(set(re.findall(r"SMITH, \w+", answer.content.decode()))) if answer.status_code == 200 else ["refused"]


def logs_in() -> bool:
    """Whether the password of the demonstration lets the first of its users in."""
    demo = demo_users()
    typed = {"login": demo["demo_users"][0]["email"], "password": demo["demo_password"]}
    return bool(Client(SERVER_NAME="localhost").post(reverse("account_login"), typed).status_code == 302)


def standing(user_id: int) -> dict[str, Any]:
    """A user's posts today, in order, and the words for them at the head of every page."""
    held = place.standing(user_id, timezone.localdate())
    posts = [[post.role, post.organisation] for post in held.posts]
    return {"posts": posts, "role": held.role_text, "organisation": held.organisation_name}


def seen(people: list[str], organisations: list[str]) -> dict[str, Any]:
    """Everything, for every user and each of these people."""
    today = timezone.localdate()
    answer: dict[str, Any] = {"organisations": place.organisation_names(organisations, today), "logs_in": logs_in()}
    answer |= {"users": {}, "records": {person_id: [] for person_id in people}, "looks": {}}
    for user in get_user_model().objects.order_by("email"):
        client = Client(SERVER_NAME="localhost")
        client.force_login(user, BACKEND)
        answer["users"][user.email] = standing(user.pk) | {"found": found(client)}
        for person_id in people:
            page = person_page(client, person_id)
            if "refused" not in page and person_id not in answer["looks"]:
                answer["looks"][person_id] = looks(client, person_id)
            _file(answer["records"][person_id], user.email, page)
    return answer


def _file(pages: list[dict[str, Any]], email: str, page: dict[str, Any]) -> None:
    """Those who see the same are named together."""
    for each in pages:
        if {key: value for key, value in each.items() if key != "to"} == page:
            each["to"].append(email)
            return
    pages.append({"to": [email]} | page)


if __name__ == "__main__":
    setup.refuse_unready()
    asked = json.loads(sys.argv[1])
    if moment := asked.pop("at"):
        timezone.now = lambda: datetime.fromisoformat(moment)
    sys.stdout.write(json.dumps(seen(**asked)))
