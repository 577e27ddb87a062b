"""What must hold of a FHIR R4 Bundle beyond its entries: https://hl7.org/fhir/R4/bundle.html.

The resources in the entries are checked one by one elsewhere; here it is how they are put together.
"""

import re
from collections.abc import Iterator
from typing import Any

from joinery.apps.record.fhir.checks import SCHEME, TYPE_AND_ID
from joinery.apps.record.fhir.issues import issue
from joinery.apps.record.rows import Issue

Node = dict[str, Any]

REQUEST_TYPES = {"batch", "transaction", "history"}
RESPONSE_TYPES = {"batch-response", "transaction-response", "history"}
# In these a sender may give an address of its own choice to a resource that has no id yet.
ID_FROM_SERVER = {"batch", "transaction", "batch-response", "transaction-response"}
# Answers made on the spot, which have no id.
PASSING_RESOURCES = {"OperationOutcome", "Parameters"}
# Links that say where a page stands among others.
PAGES = {"self", "first", "previous", "prev", "next", "last"}
UUID_URN = re.compile(r"urn:uuid:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def bundle_issues(bundle: Node) -> tuple[Issue, ...]:
    """All that is wrong with a Bundle as such: {"type", "entry": [{"fullUrl", "resource", "request"...}]}.

    The resources may be cut down to resourceType, id and meta, save for the first one of a document,
    whose references are followed. An issue's path names the entry ("Bundle.entry[3].fullUrl") where
    there is one to blame. Parts of the wrong JSON type are passed over.
    """
    listed = bundle.get("entry")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    kind = text(bundle.get("type"))
    found = [*shell_issues(bundle, kind, entries), *duplicate_issues(kind, entries)]
    request, response = kind in REQUEST_TYPES, kind in RESPONSE_TYPES
    for index, entry in enumerate(entries):
        # Nearly every entry is like this, and nothing can be wrong with it then.
        if (
            "resource" in entry
            and ("request" in entry) is request
            and ("response" in entry) is response
            and "search" not in entry
            and UUID_URN.fullmatch(text(entry.get("fullUrl")))
        ):
            continue
        found += entry_issues(kind, entry, f"Bundle.entry[{index}]")
    if kind == "document" and entries:
        found += document_issues(entries)
    return tuple(found)


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def resource_of(entry: Node) -> Node:
    resource = entry.get("resource")
    return resource if isinstance(resource, dict) else {}


def version_of(resource: Node) -> str:
    meta = resource.get("meta")
    return text(meta.get("versionId")) if isinstance(meta, dict) else ""


def shell_issues(bundle: Node, kind: str, entries: list[Node]) -> Iterator[Issue]:
    """bdl-1 and bdl-9 to bdl-12: what the type of Bundle asks of the Bundle and its first entry."""
    if "total" in bundle and kind not in ("searchset", "history"):
        message = "Only a search or a history has a total. Remove it."
        yield issue("Bundle.total", "bdl-1", bundle["total"], message)
    links = bundle.get("link")
    named = [text(each.get("relation")) for each in links if isinstance(each, dict)] if isinstance(links, list) else []
    for relation in sorted({each for each in named if each in PAGES and named.count(each) > 1}):
        yield issue("Bundle.link", "link", relation, "A page of a search has one such link. Keep one.")
    first = text(resource_of(entries[0]).get("resourceType")) if entries else ""
    if kind == "document":
        identifier = bundle.get("identifier")
        if not (isinstance(identifier, dict) and "system" in identifier and "value" in identifier):
            message = "A document needs an identifier with a system and a value. Add it."
            yield issue("Bundle.identifier", "bdl-9", identifier, message)
        if "timestamp" not in bundle:
            yield issue("Bundle.timestamp", "bdl-10", None, "A document needs the time it was made. Add timestamp.")
        if first != "Composition":
            yield issue("Bundle.entry[0]", "bdl-11", first, "A document starts with its Composition. Put it first.")
    if kind == "message" and first != "MessageHeader":
        yield issue("Bundle.entry[0]", "bdl-12", first, "A message starts with its MessageHeader. Put it first.")


def entry_issues(kind: str, entry: Node, path: str) -> Iterator[Issue]:
    """bdl-2 to bdl-5: which parts an entry has, given the type of Bundle; then its address."""
    if "search" in entry and kind != "searchset":
        yield issue(f"{path}.search", "bdl-2", entry["search"], "Only a search has search details. Remove them.")
    if ("request" in entry) != (kind in REQUEST_TYPES):
        message = "A request belongs in every entry of a batch, transaction or history, and nowhere else."
        yield issue(f"{path}.request", "bdl-3", entry.get("request"), message)
    if ("response" in entry) != (kind in RESPONSE_TYPES):
        message = "A response belongs in every entry of a history or an answer to a batch, and nowhere else."
        yield issue(f"{path}.response", "bdl-4", entry.get("response"), message)
    if not entry.keys() & {"resource", "request", "response"}:
        yield issue(path, "bdl-5", entry, "An entry is empty. Add its resource, or remove it.")
    url = text(entry.get("fullUrl"))
    if url:
        yield from address_issues(kind, url, resource_of(entry), f"{path}.fullUrl")


def address_issues(kind: str, url: str, resource: Node, path: str) -> Iterator[Issue]:
    """An entry's fullUrl: absolute, without a version, and in agreement with the resource's id."""
    if not SCHEME.match(url):
        yield issue(path, "full-url", url, "This is not a full address. Start it with https:// or urn:uuid:.")
        return
    if url.startswith("urn:uuid:") and not UUID_URN.fullmatch(url):
        yield issue(path, "full-url", url, "This is not a UUID. Send urn:uuid: and its 36 characters.")
    if "/_history/" in url:
        yield issue(path, "bdl-8", url, "The address names a version. Leave out /_history and what follows.")
    elif url.startswith(("http://", "https://")) and resource:
        resource_type, resource_id = text(resource.get("resourceType")), text(resource.get("id"))
        if not resource_id:
            if kind not in ID_FROM_SERVER and resource_type not in PASSING_RESOURCES:
                yield issue(path, "full-url", url, "The entry has an address but its resource has no id. Add the id.")
        elif TYPE_AND_ID.search(url) and not url.endswith(f"/{resource_type}/{resource_id}"):
            yield issue(path, "full-url", url, "The address does not end in the resource's type and id. Correct one.")


def duplicate_issues(kind: str, entries: list[Node]) -> Iterator[Issue]:
    """bdl-7: no two entries with the same address and version, save in a history."""
    seen = set()
    for index, entry in enumerate(entries):
        url = text(entry.get("fullUrl"))
        key = url, version_of(resource_of(entry))
        if url and key in seen and kind != "history":
            message = "Two entries have the same address and version. Keep one, or correct the address."
            yield issue(f"Bundle.entry[{index}].fullUrl", "bdl-7", url, message)
        seen.add(key)


def document_issues(entries: list[Node]) -> Iterator[Issue]:
    """The references of a document's Composition, each of which must lead to one entry."""
    versions: dict[str, list[str]] = {}
    for entry in entries:
        url, resource = text(entry.get("fullUrl")), resource_of(entry)
        for name in {url, "/".join(url.split("/")[-2:])} - {""}:
            versions.setdefault(name, []).append(version_of(resource))
    for reference in references(resource_of(entries[0])):
        target, _, version = reference.partition("/_history/")
        found = versions.get(target, [])
        if SCHEME.match(reference) and not reference.startswith("urn:") and not found:
            continue  # What is elsewhere on the web need not be in the document.
        if (version and version not in found) or not found:
            message = "The document does not hold what its Composition points to. Add it, or correct the reference."
            yield issue("Bundle.entry[0].resource", "document-reference", reference, message)
        elif not version and len(found) > 1:
            message = "The document holds several versions of what its Composition points to. Name the version."
            yield issue("Bundle.entry[0].resource", "document-reference", reference, message)


def references(node: Any) -> Iterator[str]:
    """Every literal reference in a resource, save for those to contained resources."""
    if isinstance(node, dict):
        literal = node.get("reference")
        if isinstance(literal, str) and not literal.startswith("#"):
            yield literal
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)
