"""How the directory came to know what it says: what was taken and changed, and what could not be taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from joinery.apps.base.columns import marks, select
from joinery.apps.base.facts import place_facts
from joinery.apps.place.facts.arranging import EditionSummary
from joinery.apps.place.models import Edition

MOST_LISTED = 200
_PARTS = {"cli": "the command line", "command line": "the command line", "demo": "the demonstration"}


@dataclass(frozen=True, slots=True)
class Adoptions:
    """A page of editions that count, newest first; `before` is the cursor of the next page, if there is one."""

    editions: tuple[EditionSummary, ...]
    before: int | None


@place_facts
def adoptions(before: int | None = None, limit: int = 50) -> Adoptions:
    """Editions in the order in which they came to count, newest first; 200 at most."""
    limit = min(limit, MOST_LISTED)
    found = Edition.objects.filter(sequence__isnull=False)
    if before is not None:
        found = found.filter(sequence__lt=before)
    rows = list(found.order_by("-sequence")[: limit + 1])
    editions = tuple(map(EditionSummary.of, rows[:limit]))
    return Adoptions(editions, rows[limit - 1].sequence if len(rows) > limit else None)


@place_facts
def newest_files(sources: Iterable[str]) -> dict[str, EditionSummary]:
    """The file that was adopted last, of each of some sources that sent any."""
    wanted = sorted(set(sources))
    newest = (
        f"SELECT MAX(e.sequence) FROM place_edition e WHERE e.kind = 'file' AND e.source IN ({marks(wanted)}) "
        "GROUP BY e.source"
    )
    found = Edition.objects.filter(sequence__in=[row[0] for row in select(newest, wanted)])
    return {each.source: EditionSummary.of(each) for each in found}


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row of a directory file that could not be taken, and why."""

    position: int
    body: str
    reasons: tuple[str, ...]


@place_facts
def quarantined(edition_id: int, limit: int = 100) -> tuple[Quarantined, ...]:
    """The first rows of a file that could not be taken; 200 at most."""
    rows = select(
        "SELECT u.position, u.body, u.reasons FROM place_unreadrow u WHERE u.edition_id = %s "
        f"ORDER BY u.position, u.id LIMIT {min(limit, MOST_LISTED):d}",
        [edition_id],
    )
    return tuple(
        Quarantined(position, body, tuple(orjson.loads(reasons) if isinstance(reasons, str) else reasons))
        for position, body, reasons in rows
    )


@place_facts
def actor_names(actors: Iterable[str]) -> dict[str, str]:
    """Who made editions, in words, by the names that editions keep: of a user, or of a part of the system."""
    actors = set(actors)
    users = {actor: int(key) for actor in actors if (key := actor.removeprefix("user:")) != actor and key.isdecimal()}
    wanted = sorted(users.values())
    named = dict(select(f"SELECT id, name FROM base_user WHERE id IN ({marks(wanted)})", wanted)) if wanted else {}
    words = {}
    for actor in actors:
        part = actor.removeprefix("system:")
        words[actor] = named.get(users[actor], actor) if actor in users else _PARTS.get(part, part)
    return words
