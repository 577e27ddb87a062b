"""The first rung of linkage: one valid NHS number, and details that agree with it.

A number alone is not enough: a spouse's number typed on a record is a common mistake (handbook,
linkage 6.2), and then surname and address agree too. So the number links only when the date of birth
agrees, or both names do.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date


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
    if a_family and a_given and (a_family, a_given) == (b_family, b_given):
        return True, "names"
    no_dates = a.birth_date is None or b.birth_date is None
    no_names = not (a_family and a_given and b_family and b_given)
    return False, "nothing_to_compare" if no_dates and no_names else "conflict"
