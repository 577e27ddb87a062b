"""What a narrative may hold (txt-1, txt-2 of https://hl7.org/fhir/R4/narrative.html): formatting, nothing that runs."""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

from joinery.apps.record.fhir.checks import Check, Near, Problem

XHTML, XML = "http://www.w3.org/1999/xhtml", "http://www.w3.org/XML/1998/namespace"
NOT_XHTML = (
    "txt-1",
    "The narrative is not one <div> of XHTML. Write it as XML, with &#160; instead of &nbsp;, or leave it out.",
)
NOT_BASIC = "txt-1", "The narrative holds more than basic formatting, such as a script or a form. Take that out."
EMPTY = "txt-2", "The narrative says nothing. Write something, or leave it out."


class _Wrong(Exception):
    pass


def narrative_check(elements: frozenset[str], attributes: frozenset[str]) -> Check:
    """The div of a Narrative, of these elements and attributes."""

    def check(value: Any, _: Near) -> Problem | None:
        if value.__class__ is not str:
            return None
        depth, says = 0, False

        def start(name: str, given: dict[str, str]) -> None:
            nonlocal depth, says
            uri, _, local = name.rpartition(" ")
            if uri != XHTML or not (depth or local == "div"):
                raise _Wrong(NOT_XHTML)
            if local not in elements or any(n not in attributes and n.partition(" ")[0] != XML for n in given):
                raise _Wrong(NOT_BASIC)
            depth += 1
            says = says or (local == "img" and "src" in given)

        def text(data: str) -> None:
            nonlocal says
            says = says or not data.isspace()

        def doctype(*_: Any) -> None:
            raise _Wrong(NOT_XHTML)

        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler, parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = start, text, doctype
        try:
            parser.Parse(value, True)
        except _Wrong as wrong:
            problem: Problem = wrong.args[0]
            return problem
        except (expat.ExpatError, UnicodeEncodeError):
            return NOT_XHTML
        return None if says else EMPTY

    return check
