"""What records say is brought to one form, one by one and in tables alike."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joinery.calc.linkage.comparisons import RULES, keys
from joinery.calc.linkage.fields import FIELDS, Fields, columns, fields_of, nicknames, part

SAYINGS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "Zoë",
            "O'Neill-Żak",
            "李小龙",
            "Олена",
            "1950-02-31",
            "21/02/1950",
            "19500221",
            "UNKNOWN",
            "Baby",
            "n/a",
            "ZZ99 3VZ",
        ]
        + ["e1 6an", "943 476 5919", "9999999999", "M", "f", "+44 1632 960001", "12, Quay Rd.", "1900-01-01", "-"]
    ),
)


@settings(deadline=None)  # the first record reads the list of nicknames
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(FIELDS, SAYINGS)), min_size=1, max_size=5))
def test_a_table_says_what_its_records_say_one_by_one(rows: list[dict[str, str]]) -> None:
    made = columns(pa.table({field: pa.array([row[field] for row in rows], pa.string()) for field in FIELDS}))
    derived = {column for rule in RULES for column in rule}
    for at, row in enumerate(rows):
        record = fields_of(**row)
        for column in {*FIELDS, *derived}:
            in_table = made[column][at].as_py() if column in made.column_names else None
            assert (in_table or "") == part(record, column)
        if "nicknames" in made.column_names:
            assert set(made["nicknames"][at].as_py() or ()) == nicknames(record.given_name)


@given(st.fixed_dictionaries(dict.fromkeys(FIELDS, SAYINGS)))
def test_what_is_normalised_stays_as_it_is(row: dict[str, str]) -> None:
    once = fields_of(**row)
    assert fields_of(**{field: getattr(once, field) for field in FIELDS if field != "phone"}) == fields_of(
        **{field: text for field, text in row.items() if field != "phone"}
    )


@pytest.mark.parametrize(
    ("field", "text"),
    [
        *(
            ("given_name", text)
            for text in ("", " ", "UNKNOWN", "Baby", "baby girl", "Twin 2", "Male Infant", "NK", "N/A", "xxx")
        ),
        *(("family_name", text) for text in ("N-A", "ÑA")),
        *(
            ("birth_date", text)
            for text in ("", "1900-01-01", "01/01/1900", "1899-12-30", "0000-00-00", "soon", "1950")
        ),
        *(("postcode", text) for text in ("", "ZZ99 3WZ", "zz993vz", "unknown", "0000")),
        *(("nhs_number", text) for text in ("", "9999999999", "0000000000", "1234567890", "943 476 5918")),
        *(("gender", text) for text in ("", "unknown", "9", "not known")),
        *(("phone", text) for text in ("", "00000000000", "n/a", "12")),
        *(("address", text) for text in ("", "-", "NOT KNOWN", "?")),
    ],
)
def test_what_stands_for_nothing_says_nothing(field: str, text: str) -> None:
    assert fields_of(**{field: text}) == Fields()


@pytest.mark.parametrize(
    "name",
    ["Nan", "Ng", "O", "Żak", "李", "Олена", "محمد", "Baby-Smith", "Nullah", "Boyd", "Girling", "Unwin", "Testa"],
)
def test_names_that_only_look_odd_are_names(name: str) -> None:
    assert fields_of(family_name=name).family_name


def test_records_that_lack_a_part_share_no_key() -> None:
    assert keys(Fields(), RULES) == ()
    for rule in RULES:
        said = Fields("9990000018", "ANN", "SMITH", "1950-01-02", "E16AN")
        for field in ("nhs_number", "given_name", "family_name", "birth_date", "postcode"):
            without = Fields(**{f: "" if f == field else getattr(said, f) for f in FIELDS})
            touched = any(part(said, column) != part(without, column) for column in rule)
            assert len(keys(without, (rule,))) == (0 if touched else 1)


def test_values_that_meet_at_different_places_make_different_keys() -> None:
    one = keys(Fields(given_name="ANN", family_name="LEE"), (("given_name", "family_name"),))
    other = keys(Fields(given_name="AN", family_name="NLEE"), (("given_name", "family_name"),))
    assert one != other
    assert keys(Fields(given_name="ANN"), (("given_name",),)) != keys(Fields(family_name="ANN"), (("family_name",),))


@given(st.sampled_from(["BOB", "MAGGIE", "LIZ", "TONY", "MOHAMED", "ANN"]))
def test_nicknames_go_both_ways_and_nobody_is_called_after_himself(name: str) -> None:
    assert all(name in nicknames(other) and other != name for other in nicknames(name))
