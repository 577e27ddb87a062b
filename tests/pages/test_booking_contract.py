"""Every operation of the contract's OpenAPI document, asked in any way: each answer is one that the contract knows.

What the document leaves in other files (schemas, examples) is not beside it, and not asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest
import yaml
from django.core.cache import cache
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joinery.apps.record.fhir.validate import validate
from tests.pages.test_booking_messages import NUMBER, System, encoded, held, place, referral

__all__ = ["place"]  # a fixture, for each test here
pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

METHODS = ("get", "post", "put", "patch", "delete")
# 501 says what is not offered, 503 that a long file is being taken. Any other of 5xx is a fault of ours.
OURS = {500, 502, 504}
_text = st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=40)
_json = st.recursive(st.none() | st.booleans() | st.integers() | _text, lambda inner: st.lists(inner, max_size=3)
                     | st.dictionaries(_text, inner, max_size=3), max_leaves=8)  # fmt: skip
_encoded = _json.map(lambda said: encoded({"a": said}))


def operations(shared: Path) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Each path and method of the document, with its parameters."""
    said = yaml.safe_load((shared / "bars" / "booking-and-referral.yaml").read_text("utf-8"))
    known = said["components"]["parameters"]

    def whole(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [known[each["$ref"].rpartition("/")[2]] if "$ref" in each else each for each in listed]

    for path, item in said["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, whole([*item.get("parameters", ()), *item[method].get("parameters", ())])


def test_the_document_is_read_whole(shared: Path) -> None:
    found = {(method, path) for path, method, _ in operations(shared)}
    assert {
        ("post", "/$process-message"),
        ("get", "/metadata"),
        ("get", "/ServiceRequest/{id}"),
        ("get", "/Slot"),
    } <= found


@st.composite
def requests(draw: st.DrawFn, listed: list[tuple[str, str, list[dict[str, Any]]]], good: dict[str, str]) -> Any:
    """A request that the document allows, or nearly: half are right but for what is made up or left out of one part."""
    path, method, parameters = draw(st.sampled_from(listed))
    wrong = draw(st.sampled_from(["", "", "parameter", "method", "message", "body"]))
    spoilt = draw(st.sampled_from([each["name"] for each in parameters])) if wrong == "parameter" else ""
    headers, query = {"Authorization": good["Authorization"]}, []
    for each in parameters:
        name = each["name"]
        right = {"patient:identifier": NUMBER, "id": str(uuid4())}.get(name) or good.get(name, "x")
        value = draw(st.none() | _text | _encoded) if name == spoilt else right
        if each["in"] == "path":
            path = path.replace(f"{{{name}}}", quote(value or "x", safe=""))
        elif value is not None and each["in"] == "header":
            headers[name] = value
        elif value is not None:
            query.append((name, value))
    message = referral()
    if wrong == "message":
        entry = draw(st.sampled_from(message["entry"]))
        node = draw(st.sampled_from([entry, entry["resource"]]))
        node[draw(st.sampled_from(sorted(node)) | _text)] = draw(_json)
    body = draw(st.binary(max_size=40) | _json.map(json.dumps)) if wrong == "body" else json.dumps(message)
    method = draw(st.sampled_from(METHODS)) if wrong == "method" else method
    return method, f"/bars{path}" + (f"?{urlencode(query)}" if query else ""), headers, body


def test_no_request_that_the_contract_allows_or_nearly_makes_a_fault(shared: Path, db: None) -> None:
    listed, good = list(operations(shared)), System().headers()
    seen = set()

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(requests(listed, good))
    def ask(request: Any) -> None:
        method, address, headers, body = request
        cache.clear()
        answer = Client().generic(method.upper(), address, body, "application/fhir+json", headers=headers)
        assert answer.status_code not in OURS and 200 <= answer.status_code < 504, address
        assert answer["Content-Type"] == "application/fhir+json"
        assert validate(answer.content)[1] == (), answer.content
        if answer.status_code >= 400:
            assert answer.json()["resourceType"] == "OperationOutcome"
        seen.add(answer.status_code)

    ask()
    assert {200, 400, 501} <= seen and held(), "the requests reach what they are to try"
