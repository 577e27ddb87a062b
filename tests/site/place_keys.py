"""The keys of what `joinery place … --json` prints: they do not change."""

COUNTS = {"rows", "taken", "unchanged", "superseded", "quarantined"}
_LOOKED = {"at", "known_at", "proposal"}
_CHANGED = {"change", "on", "proposal"}
_DECIDED = {"proposal", "state"}
KEYS = {
    "place start": {"home", "definitions", "user_added", "password", "next"},
    "place take": COUNTS | {"files", "failed"},
    "place show": _LOOKED | {"body", "said", "areas", "more"},
    "place successors": _LOOKED | {"body", "successions"},
    "place predecessors": _LOOKED | {"body", "successions"},
    "place history": _LOOKED | {"body", "said", "before", "after"},
    "place responsible": _LOOKED | {"lsoa", "postcode", "bodies"},
    "place atoms": {"lsoas", "atoms", "sets", "cut", "file"},
    "place merge": _CHANGED,
    "place split": _CHANGED,
    "place move": _CHANGED,
    "place rename": _CHANGED,
    "place lead": _CHANGED,
    "place add": _CHANGED,
    "place propose": _DECIDED,
    "place proposals": {"proposals"},
    "place adopt": _DECIDED,
    "place drop": _DECIDED,
    "place waiting": {"memberships", "people"},
    "place decide": {"membership", "people", "to", "end", "decided"},
}
BODY = {"code", "name", "form", "level", "from", "to"}
SAID = {
    "kind", "words", "value", "other", "incoming", "from", "to", "certainty", "detail", "source", "known_at",
    "passed_from", "undecided",
}  # fmt: skip
SUCCESSION = {
    "from", "to", "on", "share", "part", "areas", "instrument", "contracts", "certainty", "note", "source",
}  # fmt: skip
RESPONSIBLE = {"body", "because", "faced", "one_of", "passed_from"}
SET = {"set", "bodies", "lsoas"}
CUT = {"level", "on", "atoms"}
PROPOSAL = {"proposal", "title", "state", "made_by", "made_at", "adopted_at", "dropped_at"}
MEMBERSHIP = {"membership", "user", "role", "body", "choices"}
FILE = COUNTS | {"file", "source", "edition", "reasons", "note"}
