"""The first rung of linkage: one valid NHS number, and details that agree with it.

A number alone is not enough: a spouse's number typed on a record is a common mistake (handbook,
linkage 6.2), and then surname and address agree too. So the number links only when the date of birth
agrees, or both names do and the dates of birth are close.

Agreement does not carry over from one pair to the next, so who is who is worked out over all records
of a number at once, in an order that depends on what they say and never on when they came.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

# A number on more records than this is nobody's: a dummy that passes the check, and the rung says nothing.
MOST_OF_ONE_NUMBER = 100


@dataclass(frozen=True, slots=True)
class Details:
    """What a record says of a person; empty text or None means that it does not say."""

    family_name: str
    given_name: str
    birth_date: date | None


def name_key(name: str) -> str:
    """A name as compared and searched: letters only, no accents, upper case.

    >>> name_key("O'Neill-Żak")
    'ONEILLZAK'
    """
    plain = unicodedata.normalize("NFKD", name)
    return "".join(c for c in plain if c.isalnum()).upper()


def agrees(a: Details, b: Details) -> tuple[bool, str]:
    """Whether two records that carry the same valid NHS number are one person, and why.

    The reason is one of the codes `birth_date`, `names`, `nothing_to_compare`, `conflict`. A record with
    neither a date of birth nor a name to compare stays apart.

    >>> agrees(Details("Smith", "Ann", date(1950, 1, 2)), Details("Jones", "Ann", date(1950, 1, 2)))
    (True, 'birth_date')
    """
    if a.birth_date is not None and a.birth_date == b.birth_date:
        return True, "birth_date"
    a_family, a_given = name_key(a.family_name), name_key(a.given_name)
    b_family, b_given = name_key(b.family_name), name_key(b.given_name)
    if a_family and a_given and (a_family, a_given) == (b_family, b_given) and not _far_apart(a, b):
        return True, "names"
    no_dates = a.birth_date is None or b.birth_date is None
    no_names = not (a_family and a_given and b_family and b_given)
    return False, "nothing_to_compare" if no_dates and no_names else "conflict"


def _far_apart(a: Details, b: Details) -> bool:
    """Dates of birth that no slip of the pen explains: a father and a son of one name, not one person.

    Close are dates that differ in one of year, month and day, or have day and month the other way round.
    """
    if a.birth_date is None or b.birth_date is None:
        return False
    x, y = a.birth_date, b.birth_date
    swapped = x.year == y.year and (x.month, x.day) == (y.day, y.month)
    return not swapped and (x.year != y.year) + (x.month != y.month) + (x.day != y.day) > 1


def same_people(records: Sequence[Details]) -> list[list[int]]:
    """Who is who among records that carry the same valid NHS number: positions, grouped by person.

    Pairs that agree by date of birth are joined first, then those that agree by names; never two groups
    of which one record contradicts another, in date of birth and in name (handbook, linkage 1: never
    plain connected components). The groups are the same in whatever order the records are given.

    >>> ann = Details("Smith", "Ann", date(1950, 1, 2))
    >>> same_people([ann, Details("Smith", "John", date(1948, 5, 6)), Details("Jones", "Ann", date(1950, 1, 2))])
    [[0, 2], [1]]
    """
    alike: dict[tuple[str, str, str], list[int]] = {}
    groups: list[list[int]] = []
    for position, record in enumerate(records):
        if agrees(record, record)[0]:
            alike.setdefault(_compared(record), []).append(position)
        else:
            groups.append([position])
    group_of = {key: [key] for key in alike}
    said = {key: records[positions[0]] for key, positions in alike.items()}
    pairs = [(why, a, b) for a, b in combinations(sorted(alike), 2) for yes, why in [agrees(said[a], said[b])] if yes]
    for _, a, b in sorted(pairs):  # "birth_date" comes before "names"
        left, right = group_of[a], group_of[b]
        if left is right or any(_contradict(said[x], said[y]) for x in left for y in right):
            continue
        left += right
        for key in right:
            group_of[key] = left
    joined = {id(group): group for group in group_of.values()}.values()
    groups += [sorted(position for key in group for position in alike[key]) for group in joined]
    return sorted(groups)


@dataclass(frozen=True, slots=True)
class Rung:
    """What a shared number says of two records, by position: one person (`birth_date`, `names`), or a `conflict`."""

    left: int
    right: int
    reason: str


def ladder_pairs(records: Sequence[Details]) -> list[Rung]:
    """What one valid NHS number says of each two records that carry it; nothing of pairs it cannot decide.

    A `conflict` is a veto: nothing agrees although all can be compared. Of a number on more than
    `MOST_OF_ONE_NUMBER` records nothing is said at all.

    >>> ann, jones = Details("Smith", "Ann", date(1950, 1, 2)), Details("Jones", "Ann", date(1950, 1, 2))
    >>> ladder_pairs([ann, Details("Smith", "John", date(1948, 5, 6)), jones])
    [Rung(left=0, right=1, reason='conflict'), Rung(left=0, right=2, reason='birth_date'), \
Rung(left=1, right=2, reason='conflict')]
    """
    if len(records) > MOST_OF_ONE_NUMBER:
        return []
    rungs = []
    for (left, a), (right, b) in combinations(enumerate(records), 2):
        yes, reason = agrees(a, b)
        if yes or _contradict(a, b):
            rungs.append(Rung(left, right, reason))
    return rungs


def content(record: Details) -> str:
    """What a record says, as it is compared: something to sort by that does not depend on when it came.

    >>> content(Details("Smith", "Ann", date(1950, 1, 2)))
    '1950-01-02 SMITH ANN'
    """
    return " ".join(_compared(record))


def _compared(record: Details) -> tuple[str, str, str]:
    return str(record.birth_date or ""), name_key(record.family_name), name_key(record.given_name)


def _contradict(a: Details, b: Details) -> bool:
    """Whether nothing agrees although both the date of birth and the names can be compared."""
    return all(_compared(a)) and all(_compared(b)) and not agrees(a, b)[0]
