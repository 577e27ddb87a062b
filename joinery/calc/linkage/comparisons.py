"""How two records are compared: every level once, in words, in SQL for a table and in Python for one pair.

The levels of a comparison are tried from the top; the first one that holds counts, and the last always
holds. A comparison counts nothing where a side does not say. Splink takes the SQL, the real-time scorer the
predicate, and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import blake2b
from operator import attrgetter
from struct import Struct

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from joinery.calc.linkage.fields import FURTHER, Fields, nicknames, outward, reader

_SIGNED = Struct(">q")  # of 64 bits
Rule = tuple[str, ...]
Test = Callable[[Fields, Fields], bool]
MISSING = -1
"""The place of the level of a comparison that cannot be made."""

# No two names are exactly this alike, so that two implementations never round to different sides of it.
_NEAR, _ALIKE = 0.9151, 0.7951


@dataclass(frozen=True, slots=True)
class Level:
    """One degree of agreement: what a nurse would call it, and when it holds (`sql` "ELSE": otherwise)."""

    words: str
    sql: str
    holds: Test
    start: float
    """The share of this level among records of one person, before anything is learnt."""
    frequency_of: str = ""
    """The column whose rare values say more than its common ones."""
    takes_back: str = ""
    """The column whose rare values say no more than its common ones at this level."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared, when it cannot be (`missing`), and the levels, from full agreement down."""

    name: str
    columns: tuple[str, ...]
    missing_sql: str
    missing: Test
    levels: tuple[Level, ...]
    at_once: Callable[[str, str], int] | None = None
    """The place of the level of two values that are said, where to try one level after the other takes too long."""


def _both(column: str) -> str:
    """SQL that joins the two sides' values: "a_l = a_r"."""
    return f'"{column}_l" = "{column}_r"'


def _lacks(*columns: str) -> str:
    return " OR ".join(f'"{column}_{side}" IS NULL' for column in columns for side in "lr")


def _lack(column: str) -> Test:
    said = attrgetter(column)
    return lambda a, b: not (said(a) and said(b))


def _same(column: str) -> Test:
    said = reader(column)

    def holds(a: Fields, b: Fields) -> bool:
        value = said(a)
        return value == said(b) and bool(value)

    return holds


def _bytes(text: str) -> bytes | str:
    """DuckDB measures likeness in bytes; for plain letters that is the same."""
    return text if text.isascii() else text.encode()


def _like(column: str, least: float) -> tuple[str, Test]:
    """Jaro-Winkler likeness of at least `least`."""

    def holds(a: Fields, b: Fields) -> bool:
        x, y = _bytes(getattr(a, column)), _bytes(getattr(b, column))
        if isinstance(x, str) != isinstance(y, str):
            x, y = getattr(a, column).encode(), getattr(b, column).encode()
        return JaroWinkler.similarity(x, y) >= least

    return f'jaro_winkler_similarity("{column}_l", "{column}_r") >= {least}', holds


def _distance(x: str, y: str, most: int) -> int:
    """How many slips make one text of the other; more than `most` counts as `most` + 1."""
    return DamerauLevenshtein.distance(x.encode(), y.encode(), score_cutoff=most)


def _slips(column: str, most: int) -> tuple[str, Test]:
    """At most `most` letters or digits added, lost, mistyped or swapped with their neighbour."""

    def holds(a: Fields, b: Fields) -> bool:
        return _distance(getattr(a, column), getattr(b, column), most) <= most

    return f'damerau_levenshtein("{column}_l", "{column}_r") <= {most}', holds


def _within(column: str) -> tuple[str, Test]:
    """One side is a part of the other, of three letters or more: JONES and SMITHJONES, ANN and ANNMARIE."""
    left, right = f'"{column}_l"', f'"{column}_r"'

    def holds(a: Fields, b: Fields) -> bool:
        short, long = sorted((getattr(a, column), getattr(b, column)), key=len)
        return len(short) >= 3 and short in long

    sql = f"least(length({left}), length({right})) >= 3 AND (contains({left}, {right}) OR contains({right}, {left}))"
    return sql, holds


def _initial(a: Fields, b: Fields) -> bool:
    return 1 in (len(a.given_name), len(b.given_name)) and a.given_name[:1] == b.given_name[:1]


def _swapped(a: Fields, b: Fields) -> bool:
    crossed = a.given_name == b.family_name and a.family_name == b.given_name
    return crossed and bool(a.given_name and a.family_name) and a.given_name != a.family_name


_SWAPPED = '"given_name_l" = "family_name_r" AND "family_name_l" = "given_name_r" AND "given_name_l" <> "family_name_l"'


def _parts_of_date(a: Fields, b: Fields) -> int:
    """How many of year, month and day are the same; that both say 1 January says nothing."""
    x, y = a.birth_date, b.birth_date
    if _only_new_year(x, y):
        return 0
    return (x[:4] == y[:4]) + (x[5:7] == y[5:7]) + (x[8:] == y[8:])


def _only_new_year(x: str, y: str) -> bool:
    """Both say 1 January, of different years: whole communities were registered so on arrival."""
    return x != y and x[5:] == y[5:] == "01-01"


def _new_year(a: Fields, b: Fields) -> bool:
    """The same year, of which one side only knew the year: 1 January is what systems make of that."""
    return a.birth_date[:4] == b.birth_date[:4] and "01-01" in (a.birth_date[5:], b.birth_date[5:])


def _otherwise(words: str, start: float) -> Level:
    return Level(words, "ELSE", lambda a, b: True, start)


_ONLY_NEW_YEAR = (
    '"birth_date_l" <> "birth_date_r" AND "birth_date_l"[6:10] = \'01-01\' AND "birth_date_r"[6:10] = \'01-01\''
)
_PARTS_OF_DATE = (
    f"CASE WHEN {_ONLY_NEW_YEAR} THEN 0 ELSE"
    ' ("birth_date_l"[1:4] = "birth_date_r"[1:4])::INT + ("birth_date_l"[6:7] = "birth_date_r"[6:7])::INT'
    ' + ("birth_date_l"[9:10] = "birth_date_r"[9:10])::INT END'
)
_NEW_YEAR = (
    '"birth_date_l"[1:4] = "birth_date_r"[1:4]'
    " AND ('01-01' = \"birth_date_l\"[6:10] OR '01-01' = \"birth_date_r\"[6:10])"
)
_INITIAL = 'least(length("given_name_l"), length("given_name_r")) = 1 AND "given_name_l"[1] = "given_name_r"[1]'
_NICKNAME = 'list_contains("nicknames_l", "given_name_r")'


def _nickname(a: Fields, b: Fields) -> bool:
    return b.given_name in nicknames(a.given_name)


_ALIKE_SQL, _alike_given = _like("given_name", _ALIKE)
_OTHER_NAME = (
    f"NOT ({_lacks('given_name')}) AND NOT ("
    + " OR ".join(f"coalesce({sql}, false)" for sql in (_ALIKE_SQL, _NICKNAME, _SWAPPED, _INITIAL))
    + ")"
)


def _other_name(a: Fields, b: Fields) -> bool:
    """Both say a first name, and no slip, short form, initial or swap makes one of the other."""
    if not (a.given_name and b.given_name):
        return False
    return not any(test(a, b) for test in (_alike_given, _nickname, _swapped, _initial))


def strangers(a: Fields, b: Fields) -> bool:
    """Whether two records of one number cannot be one person: another first name and another date of birth.

    >>> strangers(Fields(given_name="ANN", birth_date="1950-01-02"), Fields(given_name="JOHN", birth_date="1948-05-06"))
    True
    """
    return bool(a.birth_date and b.birth_date) and _parts_of_date(a, b) < 2 and _other_name(a, b)


def _number() -> Comparison:
    """The number counts in full only where something else agrees: a spouse's number is a common mistake."""
    return Comparison(
        "nhs_number",
        ("nhs_number", "given_name", "family_name", "birth_date", "nicknames"),
        _lacks("nhs_number"),
        _lack("nhs_number"),
        (
            Level(
                "same NHS number, but another first name and date of birth",
                f"{_both('nhs_number')} AND {_PARTS_OF_DATE} < 2 AND {_OTHER_NAME}",
                lambda a, b: a.nhs_number == b.nhs_number and strangers(a, b),
                0.0005,
            ),
            Level("same NHS number", _both("nhs_number"), _same("nhs_number"), 0.98),
            # Both numbers pass the check that finds every single slip: they are two people's. Our own rule.
            Level("different NHS numbers", "ELSE", lambda a, b: True, 0.005),
        ),
    )


def _given_name() -> Comparison:
    near, alike = _like("given_name", _NEAR), _like("given_name", _ALIKE)
    return Comparison(
        "given_name",
        ("given_name", "family_name", "nicknames"),
        _lacks("given_name"),
        _lack("given_name"),
        (
            Level("same first name", _both("given_name"), _same("given_name"), 0.85, "given_name"),
            Level("first name and surname the other way round", _SWAPPED, _swapped, 0.01),
            Level(
                "first names that stand for each other, such as Bob and Robert",
                _NICKNAME,
                _nickname,
                0.05,
            ),
            Level("nearly the same first name", *near, 0.04),
            Level("an initial that fits the first name", _INITIAL, _initial, 0.01),
            Level("a first name that is part of the other", *_within("given_name"), 0.01),
            Level("first names that are alike", *alike, 0.01),
            _otherwise("different first names", 0.02),
        ),
    )


def _family_name() -> Comparison:
    return Comparison(
        "family_name",
        ("family_name", "given_name"),
        # Names the other way round count once, with the first name.
        f"{_lacks('family_name')} OR coalesce({_SWAPPED}, false)",
        lambda a, b: not (a.family_name and b.family_name) or _swapped(a, b),
        (
            Level("same surname", _both("family_name"), _same("family_name"), 0.9, "family_name"),
            Level("nearly the same surname", *_like("family_name", _NEAR), 0.04),
            Level("a surname that is part of the other", *_within("family_name"), 0.01),
            Level("surnames that are alike", *_like("family_name", _ALIKE), 0.01),
            _otherwise("different surnames", 0.04),
        ),
    )


def _birth_date() -> Comparison:
    def turned(a: Fields, b: Fields) -> bool:
        x, y = a.birth_date, b.birth_date
        return x[:4] == y[:4] and x[5:7] == y[8:] and x[8:] == y[5:7]

    def slips(most: int) -> tuple[str, Test]:
        sql, holds = _slips("birth_date", most)
        return (
            f"NOT ({_ONLY_NEW_YEAR}) AND {sql}",
            lambda a, b: not _only_new_year(a.birth_date, b.birth_date) and holds(a, b),
        )

    return Comparison(
        "birth_date",
        ("birth_date",),
        _lacks("birth_date"),
        _lack("birth_date"),
        (
            Level("same date of birth", _both("birth_date"), _same("birth_date"), 0.93, "birth_date"),
            Level(
                "day and month of birth the other way round",
                '"birth_date_l"[1:4] = "birth_date_r"[1:4] AND "birth_date_l"[6:7] = "birth_date_r"[9:10]'
                ' AND "birth_date_l"[9:10] = "birth_date_r"[6:7]',
                turned,
                0.01,
            ),
            Level(
                "same year of birth, and one says 1 January",
                _NEW_YEAR,
                _new_year,
                0.01,
            ),
            Level("dates of birth that one slip explains", *slips(1), 0.02),
            Level(
                "two of day, month and year of birth the same",
                f"{_PARTS_OF_DATE} = 2",
                lambda a, b: _parts_of_date(a, b) == 2,
                0.01,
            ),
            Level("dates of birth that two slips explain", *slips(2), 0.01),
            _otherwise("different dates of birth", 0.01),
        ),
        _place_of_dates,
    )


def _place_of_dates(x: str, y: str) -> int:
    if x == y:
        return 0
    if _only_new_year(x, y):
        return 6
    same_year = x[:4] == y[:4]
    if same_year and x[5:7] == y[8:] and x[8:] == y[5:7]:
        return 1
    if same_year and "01-01" in (x[5:], y[5:]):
        return 2
    slips = _distance(x, y, 2)
    if slips == 1:
        return 3
    if (x[5:7] == y[5:7] or x[8:] == y[8:]) if same_year else x[5:] == y[5:]:
        return 4
    return 5 if slips == 2 else 6


def _postcode() -> Comparison:
    return Comparison(
        "postcode",
        ("postcode", "outward"),
        _lacks("postcode"),
        _lack("postcode"),
        (
            Level("same postcode", _both("postcode"), _same("postcode"), 0.7, "postcode"),
            Level("postcodes that one slip explains", *_slips("postcode", 1), 0.03),
            Level("same postal district", _both("outward"), _same("outward"), 0.1),
            _otherwise("different postcodes", 0.17),
        ),
        _place_of_postcodes,
    )


def _place_of_postcodes(x: str, y: str) -> int:
    if x == y:
        return 0
    if _distance(x, y, 1) == 1:
        return 1
    return 2 if outward(x) == outward(y) else 3


def _gender() -> Comparison:
    return Comparison(
        "gender",
        ("gender",),
        _lacks("gender"),
        _lack("gender"),
        (Level("same gender", _both("gender"), _same("gender"), 0.98), _otherwise("different genders", 0.02)),
    )


def _text(column: str, what: str) -> Comparison:
    """Any other text: the same, nearly, part of the other, alike, or different."""
    return Comparison(
        column,
        (column,),
        _lacks(column),
        _lack(column),
        (
            Level(f"same {what}", _both(column), _same(column), 0.75, column),
            Level(f"nearly the same {what}", *_like(column, _NEAR), 0.07),
            Level(f"{what}: one is part of the other", *_within(column), 0.03),
            Level(f"{what}: alike", *_like(column, _ALIKE), 0.03),
            _otherwise(f"different {what}", 0.12),
        ),
    )


def _household() -> Comparison:
    """What a family shares is not evidence twice: takes back bits from twins, and from father and son.

    Here `start` is how much more often a level is seen among records of one person than of two, beyond what
    the other comparisons already say. That the shared surname is rare says nothing within a family.
    """

    def born_alike(a: Fields, b: Fields) -> bool:
        return a.family_name == b.family_name and a.birth_date == b.birth_date and _other_name(a, b)

    def named_alike(a: Fields, b: Fields) -> bool:
        same = (a.given_name, a.family_name, a.postcode) == (b.given_name, b.family_name, b.postcode)
        return bool(same and a.postcode) and _parts_of_date(a, b) < 2 and not _new_year(a, b)

    def nameless(a: Fields, b: Fields) -> bool:
        return not (a.given_name and b.given_name) and not (a.birth_date and b.birth_date)

    def missing(a: Fields, b: Fields) -> bool:
        return any(lack(a, b) for lack in lacks) and not nameless(a, b)

    lacks = [_lack(column) for column in ("given_name", "family_name", "birth_date")]

    nameless_sql = f"({_lacks('given_name')}) AND ({_lacks('birth_date')})"
    surname, birth = _both("family_name"), _both("birth_date")
    home = f"coalesce({_both('postcode')}, false)"
    return Comparison(
        HOUSEHOLD,
        ("given_name", "family_name", "birth_date", "postcode", "nicknames"),
        f"({_lacks('given_name', 'family_name', 'birth_date')}) AND NOT ({nameless_sql})",
        missing,
        (
            Level(
                "neither first name nor date of birth to go by: anybody of the home fits",
                nameless_sql,
                nameless,
                2.0**-15,
            ),
            Level(
                "same surname, date of birth and postcode but another first name, as twins have",
                f"{surname} AND {birth} AND {home} AND {_OTHER_NAME}",
                lambda a, b: bool(a.postcode) and a.postcode == b.postcode and born_alike(a, b),
                2.0**-11,  # whatever the data say, twins are for people to tell apart
                takes_back="family_name",
            ),
            Level(
                "same surname and date of birth but another first name, as twins have",
                f"{surname} AND {birth} AND {_OTHER_NAME}",
                born_alike,
                1.0,
                takes_back="family_name",
            ),
            Level(
                "same names and postcode but another date of birth, as father and son have",
                f"{_both('given_name')} AND {surname} AND {home} AND {_PARTS_OF_DATE} < 2 AND NOT ({_NEW_YEAR})",
                named_alike,
                1.0,
                takes_back="family_name",
            ),
            _otherwise("nothing that points to two of one family", 1.0),
        ),
    )


# The places of the levels of `birth_date` that do not speak for one person.
OTHER_BIRTH_DATE = frozenset({5, 6})
# The levels of other comparisons that make up those of `_household`, by place; what is not named may be anything.
HOUSEHOLD = "household"
HOUSEHOLD_MADE_OF: tuple[dict[str, frozenset[int]], ...] = (
    {"given_name": frozenset({MISSING}), "birth_date": frozenset({MISSING})},
    {
        "given_name": frozenset({7}),
        "family_name": frozenset({0}),
        "birth_date": frozenset({0}),
        "postcode": frozenset({0}),
    },
    {"given_name": frozenset({7}), "family_name": frozenset({0}), "birth_date": frozenset({0})},
    {
        "given_name": frozenset({0}),
        "family_name": frozenset({0}),
        "birth_date": OTHER_BIRTH_DATE,
        "postcode": frozenset({0}),
    },
)
# Levels by place that two records of one person are never taken to have while learning. Where no number keeps
# families apart, there may be more pairs of one home than of one person, and households would be learnt.
NEVER: tuple[dict[str, frozenset[int]], ...] = (
    {"nhs_number": frozenset({2})},
    {"given_name": frozenset({7}), "birth_date": OTHER_BIRTH_DATE | {MISSING}},
    {"given_name": frozenset({MISSING}), "birth_date": OTHER_BIRTH_DATE},
    {"family_name": frozenset({0}), "birth_date": OTHER_BIRTH_DATE, "postcode": frozenset({0})},
)

_COMPARISONS = {
    each.name: each
    for each in (
        _number(),
        _given_name(),
        _family_name(),
        _birth_date(),
        _postcode(),
        _gender(),
        _text("address", "address"),
        _text("phone", "telephone number"),
        _household(),
    )
}


def comparison(column: str) -> Comparison:
    """How a field, or a further column (`x_occupation`), is compared.

    >>> comparison("postcode").levels[0].words
    'same postcode'
    """
    if column.startswith(FURTHER):
        return _text(column, column.removeprefix(FURTHER).replace("_", " "))
    return _COMPARISONS[column]


def level_of(compared: Comparison, a: Fields, b: Fields) -> int | None:
    """Which level holds for a pair, counted from the top, or None when it cannot be compared."""
    if compared.at_once:
        x, y = getattr(a, compared.name), getattr(b, compared.name)
        return compared.at_once(x, y) if x and y else None
    if compared.missing(a, b):
        return None
    for place, level in enumerate(compared.levels):
        if level.holds(a, b):
            return place
    raise AssertionError("the last level always holds")


RULES: tuple[Rule, ...] = (
    ("nhs_number",),
    ("family_name", "birth_date"),
    ("given_name", "birth_date"),
    ("birth_date", "postcode"),
    ("given_name", "postcode"),
    ("family_name", "given_initial", "postcode"),
    ("name_low", "name_high", "outward"),
    ("name_low", "name_high", "birth_year"),
    ("name_low", "name_high", "birth_month_day"),
    ("family_sound", "birth_unordered"),
    ("given_sound", "birth_unordered"),
    ("family_sound", "given_sound", "birth_month"),
    ("given_name", "family_name"),
)
"""Two records are compared only when they have all columns of a rule in common."""


@lru_cache(maxsize=4_096)  # asked once to keep a record, and once to look for it when the 2,000 of its batch are kept
def keys(record: Fields, rules: tuple[Rule, ...]) -> tuple[int, ...]:
    """A signed 64-bit key for each rule of which the record says every part.

    >>> keys(Fields(nhs_number="9990000018"), (("nhs_number",), ("given_name", "postcode")))
    (5954216242237306762,)
    """
    columns, starts = _plan(rules)
    said = {column: read(record) for column, read in columns}
    made: list[int] = []
    for start, rule in starts:
        parts = [said[column] for column in rule]
        if all(parts):
            text = start + "\x1f".join(parts)
            made += _SIGNED.unpack(blake2b(text.encode(), digest_size=8).digest())
    return tuple(made)


@cache
def _plan(rules: tuple[Rule, ...]) -> tuple[list[tuple[str, Callable[[Fields], str]]], list[tuple[str, Rule]]]:
    """How each column of the rules is read, and how the text of each rule's keys begins."""
    columns = [(column, reader(column)) for column in sorted({column for rule in rules for column in rule})]
    return columns, [("/".join(rule) + "\x1f", rule) for rule in rules]
