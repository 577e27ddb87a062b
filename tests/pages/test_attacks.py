"""A hostile user: forged ids, forms sent twice or from elsewhere, hostile text in every field, headers and files.

Whatever is sent, no page fails, nothing is done twice, and nobody reads what is not for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from joinery.apps.base.columns import select
from tests.pages.hostile_world import CANARY, KEPT_BACK, PARAMETERS, Hostile
from tests.pages.world import COUNCIL, TRUST
from tests.spec.pages_by_role import ROLES, rows, visitors

pytestmark = pytest.mark.django_db  # each test within what the module shares
ROWS = rows()
SCRIPT = "<script>alert(1)</script>"
PAYLOADS = {
    "SQL": "' OR '1'='1' --",
    "SQL that ends one": "'); DROP TABLE base_user; --",
    "SQL marks": "%s %(id)s ? :1 %_\\",
    "script": f'">{SCRIPT}',
    "template": "{{ 7 * 191 }}{% include '403.html' %}${7*191}",
    "NUL": "a\0b",
    "only NUL": "\0",
    "the end of a line": "a\r\nSet-Cookie: x=1\r\n\r\nb",
    "letters that turn and join": "\u202eabc\u200d\ufeff\U000e0001 Ṁ́ \U0001f469\u200d\U0001f467",
    "the last letter": "\U0010ffff",
    "many digits": "9" * 5000,
    "a negative number": "-1",
    "past a long": str(2**63),
    "brackets": "[" * 100_000,
    "digits of elsewhere": "٣²",
    "a path": "../../../../etc/passwd",
    "a formula": "=1+1",
    "not text": b"\xff\xfe\xed\xa0\x80",
}
# What breaks out of most places, for each field while the others hold what the page gave.
ALL = f"'\">{SCRIPT}{{{{ 7 * 191 }}}}\0\U0010ffff"


# -- ids ------------------------------------------------------------------------------------------

IDS = ("0", "1", str(2**63), "9" * 300, "%00", "a%00b", "'%20OR%20'1'='1", "..%2f..", "%ff", "x" * 3000, "-1", "1e3")
MAY_ANY = {("integration_lead", "feeds:row"), ("integration_lead", "feeds:returned")}  # rows of every organisation


def test_an_id_of_somebody_else_or_of_nothing_opens_nothing(hostile: Hostile) -> None:
    wrong = []
    for name, parameters in PARAMETERS.items():
        read, change = ROWS[name]
        who_may = [who for who in ("own", *ROLES) if who in visitors(read) | visitors(change)]
        for who in dict.fromkeys((*who_may[:2], *({"integration_lead"} & set(who_may)))):
            for parameter in set(parameters) & set(hostile.foreign):
                address = hostile.address(name, **{parameter: hostile.foreign[parameter]})
                for method in ("get", "post"):
                    answer = hostile.asks(who, method, address)
                    wrong += _wrong(answer, f"{who} {method} {name} of another {parameter}", (who, name) in MAY_ANY)
    assert not wrong, "\n".join(wrong)


def test_an_address_that_is_made_up_is_answered(hostile: Hostile) -> None:
    wrong = []
    for name, parameters in PARAMETERS.items():
        for parameter in parameters:
            whole = hostile.address(name)
            who = next(iter(sorted(visitors(ROWS[name][0]) & {"gp", "integration_lead", "records_officer"})), "gp")
            for forged in IDS:
                answer = hostile.asks(who, "get", _with(name, whole, parameter, forged, hostile))
                wrong += _wrong(answer, f"{name} with {parameter} {forged[:20]}")
    assert not wrong, "\n".join(wrong)


def _with(name: str, whole: str, parameter: str, forged: str, hostile: Hostile) -> str:
    """An address with something else in the place of one parameter."""
    value = str((hostile.ids | ({"entry_id": hostile.ids["withheld"]} if name == "privacy:ask" else {}))[parameter])
    return re.sub(rf"/{re.escape(value)}/", lambda _: f"/{forged}/", whole, count=1)


def _wrong(answer: Any, what: str, may_read: bool = False) -> Iterator[str]:
    """What is wrong with an answer to an attack."""
    if answer.status_code >= 500:
        yield f"{what}: {answer.status_code}"
    said = answer.body + str(answer.headers)
    yield from (f"{what} tells {each}" for each in (CANARY, KEPT_BACK) if each in said and not may_read)


# -- forms ----------------------------------------------------------------------------------------


class Forms(HTMLParser):
    """The forms of a page that are posted: where each goes, and its fields with what they hold."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.at: dict[str, str] | None = None
        self.select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.at = {} if said.get("method", "").lower() == "post" else None
            if self.at is not None:
                self.forms.append((said.get("action", ""), self.at))
        elif self.at is not None and tag == "option" and self.select:
            if "selected" in said or not self.at[self.select]:
                self.at[self.select] = said.get("value", "")
        elif self.at is not None and said.get("name") and said.get("type") != "file":
            self.select = said["name"] if tag == "select" else self.select
            if said.get("type") not in ("radio", "checkbox") or said["name"] not in self.at or "checked" in said:
                self.at[said["name"]] = said.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self.at = None if tag == "form" else self.at
        self.select = "" if tag == "select" else self.select


# They end what the visitor is here with, and hold no field.
ENDS = {"/log-out/"}


@pytest.fixture(scope="module")
def forms(hostile: Hostile) -> list[tuple[str, str, dict[str, str]]]:
    """Every form of every page, as somebody who may send it sees it: who, where to, and its fields."""
    found: dict[tuple[str, tuple[str, ...]], tuple[str, str, dict[str, str]]] = {}
    for name, (read, change) in ROWS.items():
        able = [who for who in ("signed out", "pending", "own", *ROLES) if who in visitors(read) & visitors(change)]
        for who in able[:2]:
            page = hostile.asks(who, "get", address := hostile.address(name))
            for action, fields in Forms(page.body).forms:
                names = tuple(sorted(fields))
                if (to := action.partition("#")[0] or address) not in ENDS:
                    found.setdefault((to, names), (who, to, fields))
    return list(found.values())


def test_the_forms_are_found(forms: list[tuple[str, str, dict[str, str]]]) -> None:
    assert len(forms) > 35
    some = {"words", "family_name", "login", "title", "role", "verdict", "note", "body", "unit", "credential"}
    assert some - {name for _, _, fields in forms for name in fields} == set()


@pytest.mark.any_database
def test_hostile_text_in_every_field_is_only_text(hostile: Hostile, forms: Any) -> None:
    wrong = []
    for who, to, fields in forms:
        for what, payload in PAYLOADS.items():
            wrong += _sent(hostile, who, to, dict.fromkeys(fields, payload), what)
        for name in fields:
            wrong += _sent(hostile, who, to, fields | {name: ALL}, f"all in {name}")
    assert not wrong, "\n".join(wrong)


def test_a_field_of_a_million_letters_is_answered(hostile: Hostile, forms: Any) -> None:
    wrong = []
    for who, to, fields in forms:
        typed = [name for name in fields if name != "csrfmiddlewaretoken"]
        wrong += _sent(hostile, who, to, fields | dict.fromkeys(typed[-1:], "x" * 1_000_000), "a million letters")
    assert not wrong, "\n".join(wrong)


def _sent(hostile: Hostile, who: str, to: str, fields: dict[str, Any], what: str) -> Iterator[str]:
    kind = "application/x-www-form-urlencoded"
    answer = hostile.asks(who, "post", to, urlencode(fields), content_type=kind)
    yield from _wrong(answer, f"{who} to {to}, {what}")
    if SCRIPT in answer.body or "1337" in answer.body:
        yield f"{who} to {to}, {what}: it is more than text"
    if "Set-Cookie: x" in str(answer.headers) or answer.get("x"):
        yield f"{who} to {to}, {what}: a header was put in"


def test_a_form_that_comes_from_elsewhere_does_nothing(hostile: Hostile, forms: Any) -> None:
    wrong = []
    for who, to, _ in forms:
        checked = Client(enforce_csrf_checks=True, raise_request_exception=False)
        checked.cookies = hostile.clients[who].cookies
        for token in ({}, {"csrfmiddlewaretoken": "x" * 64}, {"csrfmiddlewaretoken": "\0"}):
            answer = checked.post(to, token)
            if answer.status_code != 403 or "This page was open for too long" not in answer.content.decode():
                wrong.append(f"{who} to {to}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


# -- twice ----------------------------------------------------------------------------------------

SENT_TWICE = {
    "record:kept_back": ("gp", {"kind": "own_view", "words": "She asked"}, "record_restriction"),
    "privacy:override": ("away", {"reason": "urgent_care", "words": "She has fallen"}, "privacy_privacytask"),
    "privacy:ask": ("gp", {"words": "May I give her this?"}, "privacy_privacytask"),
    "privacy:report": ("carer", {"words": "She is my neighbour"}, "privacy_privacytask"),
    "privacy:task": ("privacy_officer", {"verdict": "in_order", "words": "She told me why"}, "privacy_privacyanswer"),
    "review:case": ("records_officer", {"answer": "same", "note": "Alike"}, "record_review"),
    "feeds:row": ("gp", {"do": "set aside", "reason": "No such day"}, "record_correction"),
    "place:add_body": (
        "integration_lead", {"code": "NEW1", "name": "New Home", "form": "care_home"}, "place_organisation",
    ),
    "place:home": ("integration_lead", {"how": "known", "body": TRUST}, "place_home"),
    "staff:end": ("staff_manager", {}, "base_actionentry"),
}  # fmt: skip


def test_a_form_that_is_sent_twice_is_done_once(hostile: Hostile) -> None:
    wrong = []
    for name, (who, form, table) in SENT_TWICE.items():
        with hostile.untouched(who) as client:
            counts = [_count(table)]
            for _ in range(2):
                answer = client.post(hostile.address(name), form)
                counts.append(_count(table))
                if answer.status_code >= 500:
                    wrong.append(f"{name}: {answer.status_code}")
        before, once, twice = counts
        if once == before or twice != once:
            wrong.append(f"{name}: {counts} rows of {table}; {answer.status_code}")
    assert not wrong, "\n".join(wrong)


# -- headers and files ------------------------------------------------------------------------------

HEADERS: dict[str, dict[str, Any]] = {
    "a host of another": {"HTTP_HOST": "evil.example"},
    "no host": {"HTTP_HOST": ""},
    "a forwarded host": {"HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_FORWARDED": "host=evil.example"},
    "a forwarded address": {"HTTP_X_FORWARDED_FOR": "' OR 1=1 --, ::1", "HTTP_X_REAL_IP": "\0"},
    "a path of its own": {"HTTP_X_ORIGINAL_URL": "/looks/", "HTTP_X_REWRITE_URL": "/looks/"},
    "another method": {"HTTP_X_HTTP_METHOD_OVERRIDE": "DELETE"},
    "a page before": {"HTTP_REFERER": f"https://evil.example/{SCRIPT}", "HTTP_ORIGIN": "null"},
    "languages": {"HTTP_ACCEPT_LANGUAGE": "en;q=" + "9" * 5000, "HTTP_ACCEPT": "a/b;q=x," * 2000},
    "a long agent": {"HTTP_USER_AGENT": SCRIPT * 4000},
    "a cookie": {"HTTP_COOKIE": "sessionid=" + "x" * 8000 + "; csrftoken=\x01; messages=" + "9" * 8000},
    "no type": {"CONTENT_TYPE": "\xff/;boundary=", "HTTP_CONTENT_ENCODING": "gzip"},
}


def test_a_header_changes_nothing(hostile: Hostile) -> None:
    wrong = []
    person = hostile.address("record:person")
    for what, headers in HEADERS.items():
        for who, address in (("gp", person), ("away", person), ("signed out", "/log-in/"), ("gp", "/log-out/")):
            answer = hostile.asks(who, "get", address, **headers)
            wrong += _wrong(answer, f"{what} to {address}")
            if "evil.example" in answer.body + str(answer.headers) or SCRIPT in answer.body:
                wrong.append(f"{what} to {address} is taken over")
            if who == "away" and answer.status_code == 200:
                wrong.append(f"{what} opens {address}")
            for header, should in (("X-Frame-Options", "DENY"), ("Cache-Control", "no-store")):
                if answer.status_code != 400 and should not in answer.get(header, ""):
                    wrong.append(f"{what} to {address}: {header} is {answer.get(header)}")
    assert not wrong, "\n".join(wrong)


FILES = {
    "../../../../tmp/evil.csv": b"person_id\n1\n",
    "..\\..\\evil.csv": b"person_id\n1\n",
    "evil\0.csv": b"person_id\n1\n",
    "e" * 5000 + ".csv": b"person_id\n1\n",
    f"{SCRIPT}.csv": b"person_id\n1\n",
    "\u202evsc.exe": b"MZ\x90\0",
    "empty.csv": b"",
    "none.csv": b"\0" * 5000,
    "test.com": b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*",
    "packed.zip": b"PK\x03\x04" + b"\xff" * 200,
    "packed.gz": b"\x1f\x8b\x08" + b"\xff" * 200,
    "entities.xml": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "deep.ndjson": b"[" * 50_000,
    "digits.ndjson": b'{"resourceType": "Patient", "id": ' + b"9" * 5000 + b"}",
    "formula.csv": b"person_id,family_name\n=cmd|' /C calc'!A0,@SUM(1)\n",
    "words.csv": b"\xff\xfep\0e\0r\0",
}
UPLOADS: dict[str, dict[str, str]] = {
    "feeds:upload": {"feed": "council", "sender": COUNCIL},
    "place:take_file": {},
    "measures:series": {"name": "Visits", "kind": "count", "each": "month"},
}


@pytest.mark.parametrize("name", UPLOADS)
def test_a_hostile_file_is_refused_or_kept_in_words(hostile: Hostile, name: str) -> None:
    wrong = []
    for feed in ("council", "fhir", "adt") if name == "feeds:upload" else ("",):
        for called, body in FILES.items():
            form = UPLOADS[name] | ({"feed": feed} if feed else {}) | {"file": SimpleUploadedFile(called, body)}
            answer = hostile.asks("integration_lead", "post", hostile.address(name), form)
            wrong += _wrong(answer, f"{name} {feed} {called[:40]!r}")
            if SCRIPT in answer.body or "root:" in answer.body or answer.status_code in (403, 404):
                wrong.append(f"{name} {feed} {called[:40]!r}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


# -- onward ---------------------------------------------------------------------------------------


def test_nobody_is_led_to_another_site(hostile: Hostile) -> None:
    for onward in (
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "\t//evil.example",
    ):
        for who in ("gp", "signed out", "pending"):
            for method in ("get", "post"):
                address = "/log-in/?" + urlencode({"next": onward})
                answer = hostile.asks(who, method, address, {"next": onward, "login": "a@b.example", "password": "x"})
                assert not re.match(r"(https?:)?//|javascript|/\\|\s", answer.get("Location", "")), (who, onward)


def test_no_line_of_the_log_names_anybody_whatever_was_tried(hostile: Hostile) -> None:
    hostile.asks("gp", "get", hostile.address("record:person"))
    assert hostile.told() == []  # of all that the tests of this file asked for


def _count(table: str) -> int:
    return int(select(f"SELECT COUNT(*) FROM {table}")[0][0])
