"""A made-up directory: 100,000 bodies and about 500,000 dated relations, the same for Joinery and its peer."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date

BODIES = 100_000
EDITIONS = 2  # the second says again, with an end, what a fifth of the bodies' first statement was
AT = date(2024, 1, 1)
CHANGE = date(2022, 7, 1)
REGIONS, BOARDS, PARTS, COUNCILS, PROVIDERS = range(1, 8), range(8, 48), range(48, 151), range(151, 301), 20_000
ENDED = range(60_000, 62_000)
AREAS = 34_000

# edition, body, kind, value, target, from, to
Statement = tuple[int, int, str, str, int | None, date, date | None]


def code(body: int) -> str:
    """The code of a body by its id, which begins at 1."""
    return f"Z{body:06d}"


def statements(seed: int = 1) -> Iterator[Statement]:
    """Every statement, in the order of bodies."""
    draw = random.Random(seed)
    for body in range(1, BODIES + 1):
        since = date(draw.randint(1975, 2020), draw.randint(1, 12), 1)
        for kind, value in (("open", ""), ("name", f"Body {body}"), ("form", _form(body))):
            yield 1, body, kind, value, None, since, None
        if body in ENDED or (body >= COUNCILS.stop and draw.random() < 0.2):
            yield 2, body, "open", "", None, since, CHANGE
        for kind, target, begin, end in _relations(body, draw):
            yield 1, body, kind, "", target, begin, end
    for area in range(AREAS):
        for bodies in (PARTS, COUNCILS):
            yield 1, bodies[area % len(bodies)], "area", f"E010{area:05d}", None, date(2021, 1, 1), None


def _form(body: int) -> str:
    forms = ((REGIONS, "region"), (BOARDS, "icb"), (PARTS, "sub_icb"), (COUNCILS, "unitary"))
    named = next((form for bodies, form in forms if body in bodies), None)
    return named or ("care_provider" if body < PROVIDERS else "care_home")


def _relations(body: int, draw: random.Random) -> Iterator[tuple[str, int, date, date | None]]:
    since = date(draw.randint(1990, 2021), 1, 1)
    if body in BOARDS:
        yield "part_of", draw.choice(REGIONS), since, None
    elif body in PARTS:
        yield "part_of", draw.choice(BOARDS), since, None
    elif body in COUNCILS:
        for board in draw.sample(BOARDS, draw.choice((1, 1, 1, 3))):
            yield "faces", board, since, None
    elif body not in REGIONS:
        yield "commissioned_by", draw.choice(PARTS), since, CHANGE
        yield "commissioned_by", draw.choice(PARTS), CHANGE, None
        yield "in_geography_of", draw.choice(COUNCILS), since, None
        yield "operated_by", draw.randint(301, PROVIDERS), since, None
        yield "partner_of", draw.randint(301, BODIES), since, None
    if body in ENDED:
        yield "succeeded_by", body + len(ENDED), CHANGE, None
