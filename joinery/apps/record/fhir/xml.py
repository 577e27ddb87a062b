"""FHIR R4 in XML, turned into the JSON that is checked and read (https://hl7.org/fhir/R4/xml.html and json.html).

What is kept of a resource is the XML that was received. Its JSON is made anew wherever a kept body is
read (`as_json`), so that what was sent can be sent back. Nothing is judged here that can be said in JSON:
an unknown element, a second value where one is allowed, text for a number all reach the validator.

The parser is Python's own, expat. A DTD is refused at its first byte, so there are no entities to expand
or to fetch; and nothing here calls itself, however deeply the elements are nested.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from json.encoder import encode_basestring
from typing import Any, NamedTuple
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

import orjson

from joinery.apps.base.tables import UnreadableFile
from joinery.apps.record.fhir.narrative import XHTML
from joinery.apps.record.fhir.rules import TABLE

FHIR = "http://hl7.org/fhir"
# Where xsi:schemaLocation may stand, which says nothing of the resource.
SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
MOST_DEPTH = 100
# Namespaces in scope at once, and what may be written of them into a resource that is cut from its Bundle.
MOST_NAMESPACES, MOST_DECLARED_BYTES = 100, 1_000
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
NAME, END = re.compile(rb"<([^\s/>]+)"), re.compile(rb"</([^\s>]+)")
# The value of an element, and what stands beside it in JSON (its id and extensions); None for neither.
Said = tuple[str | None, str | None]


class BadXml(Exception):
    """This is no XML, or none that can be FHIR; the message says why."""


class AsJson(NamedTuple):
    """A resource as JSON. Of a Bundle also, in the order of its entries, the XML of each one's resource."""

    body: bytes
    parts: list[bytes]


@dataclass(slots=True)
class _Node:
    """An element that is being read. `kind` is its type where that has elements of its own, "Resource"
    where any resource stands in it; `resource` the type where it is a resource itself.
    """

    name: str
    kind: str
    shape: str
    start: int
    outside: list[tuple[str, str]]
    attributes: dict[str, str]
    resource: str = ""
    members: dict[str, list[Said]] = field(default_factory=dict)


@cache
def _table() -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]], frozenset[str]]:
    said: dict[str, Any] = orjson.loads(TABLE.read_bytes())
    return said["types"], said["shapes"], frozenset(said["resources"].split())


def _known(parent: str, name: str) -> tuple[str, str]:
    """Type and shape of an element of a type; empty for what is text, or not known."""
    types, shapes, resources = _table()
    base = "Resource" if parent in resources else "Element"
    rule = types.get(parent, {}).get(name) or types[base].get(name, "")
    kind = rule.partition(" ")[0]
    return kind if kind in types else "", shapes.get(parent, {}).get(name) or shapes[base].get(name, "")


def as_json(body: bytes) -> bytes:
    """The JSON of a kept body: what it is, or what is made of its XML."""
    return read_xml(body).body if body[:1] == b"<" else body


def read_xml(body: bytes) -> AsJson:
    """A FHIR document in XML as JSON. Raises BadXml for what is broken, UnreadableFile for what is not FHIR."""
    if b"\0" in body:  # Expat would take it for UTF-16.
        raise BadXml("it is not UTF-8, which FHIR always is")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise BadXml(f"byte {error.start + 1:,} is not UTF-8, which FHIR always is") from None
    reader = _Reader(body)
    try:
        reader.parser.Parse(body, True)
    except expat.ExpatError as error:
        raise BadXml(str(error)) from None
    return AsJson(reader.json.encode(), reader.parts)


class _Reader:
    """What is open while the parser goes through the document."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.json = ""
        self.parts: list[bytes] = []
        self.open: list[_Node] = []
        # Inside a narrative: how deep.
        self.narrative = 0
        # Namespaces in scope, inner ones last, and how many of them belong to the element that comes next.
        self.scope: list[tuple[str, str]] = []
        self.new = 0
        self.parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.XmlDeclHandler = self.declared
        parser.StartDoctypeDeclHandler = self.doctype
        parser.StartNamespaceDeclHandler = self.namespace
        parser.EndNamespaceDeclHandler = lambda _: self.scope.pop()
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text

    def declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if (encoding or "utf-8").lower() not in ("utf-8", "us-ascii"):
            raise BadXml("its first line names another encoding than UTF-8, which FHIR always has")

    def doctype(self, name: str, *_: Any) -> None:
        raise UnreadableFile(
            f"The file is a web page, or XML with a DTD (<!DOCTYPE {name[:40]}>), which FHIR never has and which can "
            "do harm. Ask its sender for FHIR without one."
        )

    def namespace(self, prefix: str | None, uri: str | None) -> None:
        self.scope.append((prefix or "", uri or ""))
        self.new += 1
        if len(self.scope) > MOST_NAMESPACES:
            raise BadXml(f"more than {MOST_NAMESPACES} namespaces are declared at one place")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        uri, _, local = name.rpartition(" ")
        if len(self.open) + self.narrative >= MOST_DEPTH:
            raise BadXml(f"elements are nested more than {MOST_DEPTH} deep")
        own = self.scope[len(self.scope) - self.new :]
        self.new = 0
        if self.narrative:
            self.narrative += 1
            return
        above = self.open[-1] if self.open else None
        if above is None and uri != FHIR:
            raise UnreadableFile(
                f"The file is XML or a web page, but not FHIR. FHIR in XML begins with xmlns={FHIR!r}."
            )
        is_narrative = above is not None and above.kind == "Narrative" and (uri, local) == (XHTML, "div")
        if uri != FHIR and not is_narrative:
            raise BadXml(f"<{local[:40]}> is in the namespace {uri[:80]!r}; FHIR's is {FHIR!r}")
        # Only what is cut out needs to know what was declared around it.
        is_resource = above is None or above.kind == "Resource"
        cut = is_narrative or is_resource
        outside = dict(self.scope[: len(self.scope) - len(own)]) if cut else {}
        for prefix, _ in own:
            outside.pop(prefix, None)
        kind, shape = (local, "") if is_resource or above is None else _known(above.resource or above.kind, local)
        node = _Node(local, kind, shape, self.parser.CurrentByteIndex, list(outside.items()), attributes)
        node.resource = local if is_resource else ""
        self.open.append(node)
        self.narrative = int(is_narrative)
        if len(self.open) == 2 and self.path() == "Bundle.entry":
            self.parts.append(b"")

    def end(self, _: str) -> None:
        if self.narrative > 1:
            self.narrative -= 1
            return
        node = self.open.pop()
        if self.narrative:
            self.narrative = 0
            self.open[-1].members.setdefault("div", []).append((encode_basestring(self.cut(node).decode()), None))
            return
        if not self.open:
            self.json = resource_json(node)
            return
        above = self.open[-1]
        if node.resource:
            if above.members:
                raise BadXml(f"two resources stand in one <{above.name}>")
            above.members[node.resource] = [(resource_json(node), None)]
            if len(self.open) == 3 and self.path() == "Bundle.entry.resource":
                self.parts[-1] = self.cut(node)
            return
        above.members.setdefault(node.name, []).append(said_of(node))

    def text(self, data: str) -> None:
        if not self.narrative and not data.isspace():
            raise BadXml("text stands between the elements; values are attributes in FHIR")

    def path(self) -> str:
        return ".".join(node.name for node in self.open)

    def cut(self, node: _Node) -> bytes:
        """The bytes of an element that ends here, with the namespaces that they use and that are declared outside."""
        here, name = self.parser.CurrentByteIndex, NAME.match(self.body, node.start)
        assert name
        # The parser stands at the end tag, or behind an empty element that has none.
        end = END.match(self.body, here)
        piece = self.body[node.start : self.body.index(b">", here) + 1 if end and end[1] == name[1] else here]
        declared = "".join(
            f" xmlns{':' if prefix else ''}{prefix}={quoteattr(uri)}"
            for prefix, uri in node.outside
            if not prefix or f"{prefix}:".encode() in piece
        ).encode()
        if len(declared) > MOST_DECLARED_BYTES:
            raise BadXml(f"the namespaces around <{node.name[:40]}> take more than {MOST_DECLARED_BYTES:,} bytes")
        return name[0] + declared + piece[len(name[0]) :]


def resource_json(node: _Node) -> str:
    """A resource as JSON."""
    members = [f'"resourceType":{encode_basestring(node.resource)}', *attributes_of(node, ""), *members_of(node)]
    return f"{{{','.join(members)}}}"


def said_of(node: _Node) -> Said:
    """The JSON of an element, and of what stands beside it."""
    if node.kind == "Resource":
        return next(iter(node.members.values()), [("{}", None)])[0]
    if node.kind or node.members.keys() - {"extension"}:
        own = ("id", "url") if node.kind == "Extension" else ("id",)
        return f"{{{','.join([*attributes_of(node, *own), *members_of(node)])}}}", None
    value = node.attributes.pop("value", None)
    beside = ",".join([*attributes_of(node, "id"), *members_of(node)])
    if value is None:
        return (None, f"{{{beside}}}") if beside else ('""', None)
    bare = ("number" in node.shape and NUMBER.fullmatch(value)) or (
        "boolean" in node.shape and value in ("true", "false")
    )
    return value if bare else encode_basestring(value), f"{{{beside}}}" if beside else None


def attributes_of(node: _Node, *own: str) -> list[str]:
    """Members for the attributes. One that FHIR does not have becomes "@name", which the validator reports."""
    return [
        f"{encode_basestring(name if name in own else '@' + name)}:{encode_basestring(value)}"
        for name, value in node.attributes.items()
        if not name.startswith(SCHEMA_INSTANCE)
    ]


def members_of(node: _Node) -> list[str]:
    """Members for the elements: those of one name together, wherever they stand."""
    found = []
    for name, said in node.members.items():
        is_list = len(said) > 1 or "list" in _known(node.resource or node.kind, name)[1]
        for key, values in ((name, [value for value, _ in said]), ("_" + name, [beside for _, beside in said])):
            if any(values):
                written = ",".join(value or "null" for value in values)
                found.append(f"{encode_basestring(key)}:{f'[{written}]' if is_list else written}")
    return found
