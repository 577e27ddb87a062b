"""What two records are compared by: the texts of a record, brought to one form.

Empty text always means that the record does not say, and what people type to get past a required field
(UNKNOWN, 1 January 1900, ZZ99 3WZ) counts as not said: strangers must not meet over it. The same functions
serve one record that arrives and a table of millions, of which only the distinct values are looked at.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

import jellyfish

from joinery.calc.linkage.ladder import name_key
from joinery.calc.units import parse_nhs_number

if TYPE_CHECKING:
    import pyarrow as pa

# What stands in a name's place when nobody knows the name, as `name_key` writes it.
_NOT_A_NAME = re.compile(
    r"(FE)?MALE(BABY|INFANT|CHILD)?|(MALE|FEMALE)?(BABY|INFANT)(OF|BOY|GIRL|MALE|FEMALE|ONE|TWO|A|B|\d)?|BOY|GIRL"
    r"|TWIN(ONE|TWO|A|B|\d)?|NO(FIRST|FORE|GIVEN|LAST|SUR)?NAME|UNNAMED|(NAME)?NOT(GIVEN|KNOWN|PROVIDED|RECORDED|STATED)"
    r"|ANON(YMOUS)?|DUMMY|MISSING|NIL|NK|NONE|NULL|PATIENT|TEST|UNK|UNKNOWN|X{2,}|\d+"
)
# The same for any other text, in capitals.
_NOT_SAID = re.compile(r"\W*|#?N[/\\.]?A\.?|NIL|NK|NONE|NULL|UNK(NOWN)?|NOT (GIVEN|KNOWN|RECORDED|STATED)")
# The days that systems put where no date of birth is known: the first or last they can hold.
_NOT_A_DATE = re.compile(r"1753-01-01|1800-01-01|1899-12-3[01]|190[01]-01-01|9999-12-31|0000-.*")
_GENDERS = {"m": "male", "male": "male", "1": "male", "f": "female", "female": "female", "2": "female"}
_GENDERS |= {"man": "male", "boy": "male", "woman": "female", "girl": "female", "other": "other", "x": "other"}
_DATES = (
    re.compile(r"(?P<y>\d{4})[-/.]?(?P<m>\d\d?)[-/.]?(?P<d>\d\d?)(?:[ T].*)?$"),
    re.compile(r"(?P<d>\d\d?)[-/. ](?P<m>\d\d?)[-/. ](?P<y>\d{4})$"),
)
FURTHER = "x_"
"""How the columns that only an analyst's file has are named: `x_occupation`."""


class Fields(NamedTuple):
    """What one record says, normalised; empty text where it says nothing."""

    nhs_number: str = ""
    given_name: str = ""
    family_name: str = ""
    birth_date: str = ""
    postcode: str = ""
    gender: str = ""
    address: str = ""
    phone: str = ""


FIELDS = Fields._fields


def name(text: str) -> str:
    """A name as compared, or "" when it stands for no name.

    >>> name("O'Neill-Żak"), name("Baby Girl")
    ('ONEILLZAK', '')
    """
    key = name_key(text)
    return "" if _blank(text, key) or _NOT_A_NAME.fullmatch(key) else key


def birth_date(text: str) -> str:
    """A date of birth as YYYY-MM-DD, or "" when it is no date or stands for an unknown one.

    A date with an impossible month or day is kept as it was typed: it is still close to the right one. Of
    21/02/1950 and 02/21/1950 the day comes first, as is usual in Britain.

    >>> birth_date("21/02/1950"), birth_date("19500231"), birth_date("1900-01-01")
    ('1950-02-21', '1950-02-31', '')
    """
    for form in _DATES:
        if found := form.match(text.strip()):
            day = f"{found['y']}-{found['m']:0>2}-{found['d']:0>2}"
            return "" if _NOT_A_DATE.fullmatch(day) else day
    return ""


def postcode(text: str) -> str:
    """A postcode without its space, or "" when it stands for no address (ZZ99: none, unknown or abroad).

    >>> postcode("e1 6an"), postcode("ZZ99 3VZ")
    ('E16AN', '')
    """
    key = name_key(text)
    return "" if _blank(text, key) or key.startswith("ZZ99") or not key.strip("0") else key


def gender(text: str) -> str:
    """`male`, `female`, `other`, or "" when it is not said.

    >>> gender("F"), gender("unknown")
    ('female', '')
    """
    return _GENDERS.get(text.strip().lower(), "")


def phone(text: str) -> str:
    """The last nine digits of a telephone number, or "": so +44 and 0 in front do not matter.

    >>> phone("+44 20 7946 0000")
    '079460000'
    """
    digits = "".join(c for c in text if c.isascii() and c.isdigit())[-9:]
    return digits if len(digits) >= 6 and len(set(digits)) > 1 else ""


def words(text: str) -> str:
    """Any other text as compared: upper case, no accents or punctuation, single spaces, or "".

    >>> words(" 12, Café-Row  ")
    '12 CAFE ROW'
    """
    plain = unicodedata.normalize("NFKD", text)
    kept = "".join(c if c.isalnum() else "" if unicodedata.combining(c) or c == "'" else " " for c in plain)
    key = " ".join(kept.upper().split())
    return "" if _blank(text, key) else key


def _blank(text: str, key: str) -> bool:
    """Whether a text says nothing, as it was written or as it is compared: N/A, and so N-A and ÑA."""
    return not key or bool(_NOT_SAID.fullmatch(text.strip().upper()) or _NOT_SAID.fullmatch(key))


_FORMS: dict[str, Callable[[str], str]] = {
    "nhs_number": lambda text: parse_nhs_number(text) or "",
    "given_name": name,
    "family_name": name,
    "birth_date": birth_date,
    "postcode": postcode,
    "gender": gender,
    "address": words,
    "phone": phone,
}


def fields_of(**said: str) -> Fields:
    """The fields of one record from what it says, whatever its form.

    >>> fields_of(given_name="Zoë", birth_date="3/4/1941").birth_date
    '1941-04-03'
    """
    return Fields(**{field: _FORMS[field](text) for field, text in said.items()})


def _sound(key: str) -> str:
    """Soundex, or the first four letters of a name that is not written in Latin letters."""
    return jellyfish.soundex(key) if key.isascii() and key.isalpha() else key[:4]


def _unordered(day: str) -> str:
    """A date of birth whose day and month may stand the other way round."""
    return f"{day[:4]}{min(day[5:7], day[8:])}{max(day[5:7], day[8:])}" if day else ""


def outward(key: str) -> str:
    """The part of a postcode before its space; of a short foreign one its first two characters.

    >>> outward("ZZ11AA")
    'ZZ1'
    """
    return key[:-3] if len(key) > 5 else key[:2]


# What is made of one field to bring records together that do not say quite the same.
_PARTS: dict[str, tuple[str, Callable[[str], str]]] = {
    "given_sound": ("given_name", _sound),
    "given_initial": ("given_name", lambda key: key[:1]),
    "family_sound": ("family_name", _sound),
    "birth_year": ("birth_date", lambda day: day[:4]),
    "birth_month": ("birth_date", lambda day: day[:7]),
    "birth_month_day": ("birth_date", lambda day: day[5:]),
    "birth_unordered": ("birth_date", _unordered),
    "outward": ("postcode", outward),
}
_BOTH_NAMES: dict[str, Callable[[str, str], str]] = {"name_low": min, "name_high": max}


@cache
def reader(column: str) -> Callable[[Fields], str]:
    """How a column is read from a record: for who reads it from many. See `part`."""
    if column in _BOTH_NAMES:
        first_of = _BOTH_NAMES[column]
        return lambda r: first_of(r.given_name, r.family_name) if r.given_name and r.family_name else ""
    if column in _PARTS:
        field, make = _PARTS[column]
        said = attrgetter(field)
        return lambda r: make(said(r))
    return attrgetter(column)


def part(record: Fields, column: str) -> str:
    """A field of a record, or what is made of it for bringing records together; "" when it does not say.

    `name_low` and `name_high` are the two names in the order of the alphabet, so that swapped names meet.

    >>> part(Fields(given_name="ROSE", family_name="AMIN"), "name_low")
    'AMIN'
    """
    return reader(column)(record)


def needs(column: str) -> tuple[str, ...]:
    """The fields that a column is made of."""
    if column in _BOTH_NAMES:
        return "given_name", "family_name"
    return (_PARTS[column][0],) if column in _PARTS else (column,)


@cache
def _relations() -> dict[str, frozenset[str]]:
    """Every name that is, has or shares a short form, with the names it may stand for, both ways."""
    from nicknames import name_triplets  # reads its list of names: not before it is needed

    shorts: dict[str, set[str]] = {}
    for full, _, short in name_triplets():
        shorts.setdefault(name_key(full), set()).add(name_key(short))
    near: dict[str, set[str]] = {}
    for full, others in shorts.items():
        family = {full, *others}
        for one in family:
            near.setdefault(one, set()).update(family - {one})
    return {one: frozenset(others) for one, others in near.items()}


def nicknames(given_name: str) -> frozenset[str]:
    """The names that somebody of this first name may also be called by.

    >>> "MAGGIE" in nicknames("MARGARET"), "MARGARET" in nicknames("MAGGIE")
    (True, True)
    """
    return _relations().get(given_name, frozenset())


def columns(table: pa.Table) -> pa.Table:
    """A table of what records say as a table of what they are compared by, row by row; null means not said.

    Taken are the columns named like the fields of `Fields`, and further ones named `x_...`; all are text.
    A column in which nobody says anything is left out.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    made: dict[str, pa.ChunkedArray] = {}
    for column in table.column_names:
        form = words if column.startswith(FURTHER) else _FORMS[column]
        made[column] = _each(table[column], form)
    for column, (field, make) in _PARTS.items():
        if field in made:
            made[column] = _each(made[field], make)
    if {"given_name", "family_name"} <= made.keys():
        names = made["given_name"], made["family_name"]
        made["name_low"] = pc.min_element_wise(*names, skip_nulls=False)
        made["name_high"] = pc.max_element_wise(*names, skip_nulls=False)
    if "given_name" in made:
        made["nicknames"] = _each(made["given_name"], lambda key: sorted(nicknames(key)), pa.list_(pa.string()))
    return pa.table({column: values for column, values in made.items() if values.null_count < len(values)})


def _each(
    values: pa.ChunkedArray, make: Callable[[str], str | Sequence[str]], kind: pa.DataType | None = None
) -> pa.ChunkedArray:
    """What `make` makes of each value, worked out once for each distinct one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    coded = pc.dictionary_encode(values.combine_chunks())
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    distinct = [make(value) or None for value in coded.dictionary.to_pylist()]
    return pa.chunked_array([pc.take(pa.array(distinct, kind or pa.string()), coded.indices)])
