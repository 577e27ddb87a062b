"""What the people who look after the directory need: home, proposals, what waits, the tasks of a start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from joinery.apps.base.columns import select
from joinery.apps.base.facts import place_facts
from joinery.apps.place.briefs import Brief, matching
from joinery.apps.place.facts.bodies import briefs, by_codes
from joinery.apps.place.lineage import lineage_of
from joinery.apps.place.memberships import held_on, where_now
from joinery.apps.place.models import Edition, Statement
from joinery.apps.place.sql import AsAt
from joinery.calc.access import ROLES


@place_facts
def home(as_at: AsAt) -> Brief | None:
    """The body that this deployment serves, or None when nobody has said."""
    newest = "o.id = (SELECT h.organisation_id FROM place_home h ORDER BY h.id DESC LIMIT 1)"
    return next(iter(matching(newest, [], as_at).values()), None)


@place_facts
def last_digests() -> dict[str, str]:
    """The SHA-256 of the file that each source gave last, by source."""
    taken = Edition.objects.filter(kind=Edition.Kind.FILE, sequence__isnull=False).order_by("sequence")
    return dict(taken.values_list("source", "file_digest"))


@dataclass(frozen=True, slots=True)
class EditionSummary:
    """An edition: a file taken, a change made, a proposal. `state` is draft, adopted or dropped."""

    id: int
    kind: str
    source: str
    title: str
    state: str
    made_by: str
    made_at: datetime
    adopted_at: datetime | None
    dropped_at: datetime | None
    on_date: date | None
    rows: int
    taken: int
    unchanged: int
    superseded: int
    quarantined: int

    @classmethod
    def of(cls, e: Edition) -> EditionSummary:
        """The summary of a row."""
        return cls(
            e.pk, e.kind, e.source, e.title, e.state(), e.made_by, e.made_at, e.adopted_at, e.dropped_at, e.on_date,
            e.rows, e.taken, e.unchanged, e.superseded, e.quarantined,
        )  # fmt: skip


@place_facts
def editions(kinds: tuple[str, ...] = ("file", "act", "proposal"), limit: int = 50) -> tuple[EditionSummary, ...]:
    """The newest editions of some kinds, those still drafts first; 200 at most."""
    found = Edition.objects.filter(kind__in=kinds).order_by("-made_at", "-id")[: min(limit, 200)]
    return tuple(sorted(map(EditionSummary.of, found), key=lambda e: e.state != "draft"))


@place_facts
def edition(edition_id: int) -> EditionSummary | None:
    """One edition, or None."""
    found = Edition.objects.filter(pk=edition_id).first()
    return EditionSummary.of(found) if found else None


@dataclass(frozen=True, slots=True)
class Change:
    """One statement of an edition, in words for its reader; `withdrawn` takes back what was said before."""

    body: Brief
    kind: str
    value: str
    other: Brief | None
    from_date: date
    to_date: date | None
    withdrawn: bool
    certainty: str
    detail: dict[str, object]


@place_facts
def changes(edition_id: int, limit: int = 200) -> tuple[Change, ...]:
    """What an edition says, in the order in which it was written; at most 200 statements."""
    rows = list(Statement.objects.filter(edition_id=edition_id).order_by("id")[: min(limit, 200)])
    as_at = AsAt(date.max, draft=edition_id)
    known = briefs({i for r in rows for i in (r.organisation_id, r.target_id) if i}, as_at)
    return tuple(
        Change(
            known[r.organisation_id], r.kind, r.value, known[r.target_id] if r.target_id else None,
            r.from_date, r.to_date, r.withdrawn, r.certainty, r.detail,
        )
        for r in rows
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Waiting:
    """A membership whose body ended without one plain successor: a person must say where it goes on.

    `choices` are the bodies that took over parts of it.
    """

    membership_id: int
    user_name: str
    role_text: str
    body: Brief
    choices: tuple[Brief, ...]


@place_facts
def waiting(on: date) -> tuple[Waiting, ...]:
    """Memberships that wait for a decision on a day, the longest wait first."""
    held, _, _ = held_on(on)
    lineage, _ = lineage_of({code for each in held for code in each.bodies}, AsAt(on))
    stuck = [(each, body) for each in held if lineage.ended(body := where_now(each, lineage, on), on)]
    taken_over = {body: {e.successor for e in lineage.edges if e.body == body and e.on <= on} for _, body in stuck}
    known = by_codes({c for body, others in taken_over.items() for c in (body, *others)}, AsAt(on))
    names = dict(select("SELECT id, name FROM base_user")) if stuck else {}
    found = [
        Waiting(
            each.id, names[each.user_id], ROLES.get(each.role, each.role), known[body],
            tuple(known[c] for c in sorted(taken_over[body])),
        )
        for each, body in stuck
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda w: (w.body.to_date or date.min, w.membership_id)))


@dataclass(frozen=True, slots=True)
class Task:
    """One step of setting up a place: whether it is done, and what is there so far."""

    name: str
    done: bool
    optional: bool
    found: int


@place_facts
def start_tasks() -> tuple[Task, ...]:
    """What it takes to set up a place, and what is done; other rooms add theirs on the page."""
    (counts,) = select(
        "SELECT (SELECT COUNT(*) FROM place_home), "
        "(SELECT COUNT(DISTINCT organisation_id) FROM place_statement WHERE kind = 'name'), "
        "(SELECT COUNT(DISTINCT organisation_id) FROM place_statement WHERE kind = 'lead'), "
        "(SELECT COUNT(DISTINCT value) FROM place_statement WHERE kind = 'area'), "
        "(SELECT COUNT(*) FROM place_membership)"
    )
    names = ("home", "bodies", "leads", "areas", "people")
    return tuple(Task(name, bool(count), name == "areas", count) for name, count in zip(names, counts, strict=True))
