"""The first rung of linkage: one valid NHS number, and details that agree with it.

A number alone is not enough: a spouse's number typed on a record is, we assume, a common mistake, and then
surname and address agree too. So the number links only when the date of birth agrees, or both names do and
the dates of birth are close.

Agreement does not carry over from one pair to the next, so records of a number whose first name and date
of birth are not even near are never one person, whoever stands between them (`cluster`).
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
    if name.isascii() and name.isalpha():
        return name.upper()
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


@dataclass(frozen=True, slots=True)
class Rung:
    """What a shared number says of two records, by position: one person (`birth_date`, `names`), or a `conflict`."""

    left: int
    right: int
    reason: str


def ladder_pairs(records: Sequence[Details]) -> list[Rung]:
    """What one valid NHS number says of each two records that carry it; nothing of pairs it cannot decide.

    A `conflict` is a veto: neither the first name nor the date of birth is even near. Of a number on more than
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
        if yes or _strangers(a, b):
            rungs.append(Rung(left, right, reason))
    return rungs


def content(record: Details) -> str:
    """What a record says, as it is compared: something to sort by that does not depend on when it came.

    >>> content(Details("Smith", "Ann", date(1950, 1, 2)))
    '1950-01-02 SMITH ANN'
    """
    return f"{record.birth_date or ''} {name_key(record.family_name)} {name_key(record.given_name)}"


def _strangers(a: Details, b: Details) -> bool:
    """Whether another first name and another date of birth say that the number is not both's."""
    from joinery.calc.linkage.comparisons import strangers
    from joinery.calc.linkage.fields import fields_of

    return strangers(
        *(
            fields_of(family_name=d.family_name, given_name=d.given_name, birth_date=str(d.birth_date or ""))
            for d in (a, b)
        )
    )
