"""One pair in Python is scored as Splink scores it, and the same pairs are looked at."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations, product
from typing import Any

import pyarrow as pa
import pytest
from nhs_number import calculate_checksum

from benchmarks.people import records
from joinery.calc.linkage import batch
from joinery.calc.linkage.blocking import LARGEST_BLOCK, Files
from joinery.calc.linkage.comparisons import HOUSEHOLD, RULES, comparison, level_of
from joinery.calc.linkage.fields import FIELDS, Fields, columns, fields_of
from joinery.calc.linkage.model import NOT_COMPARED, Model, load

LEAST = 0.002
COMPARED = (*FIELDS, HOUSEHOLD)
# What a person's records may say of one field: together they come to every level that there is.
SPOILT: dict[str, tuple[str, ...]] = {
    "given_name": ("Margaret", "Maggie", "Margarete", "M", "Quartermaine", "Marian", "Zoltan", "Marga", "Łucja", ""),
    "family_name": ("Quartermaine", "Quartermain", "Maine", "Quarterly", "Margaret", "Őry", "Ng", "unknown"),
    "birth_date": (
        *(
            "1950-02-03",
            "1950-03-02",
            "1950-01-01",
            "1950-02-08",
            "1967-02-03",
            "1951-02-04",
            "1988-11-27",
            "1951-01-01",
        ),
        *("1950-02-31", "1900-01-01", ""),
    ),
    "postcode": ("ZZ1 1AA", "ZZ1 1AB", "ZZ1 9XY", "YY20 4QT", "ZZ99 3VZ", ""),
    "gender": ("male", "female", ""),
    "address": ("12 Quay Road", "12 Quay Rd", "Flat 3, 12 Quay Road", "12 Quarry Lane", "Ivy Cottage", ""),
    "phone": ("01632 960001", "960001", "01632 960010", "01632 961202", "020 7946 0000", ""),
}


def valid(stem: int) -> str:
    """A valid NHS number of the range kept for tests."""
    return next(f"{n}{check}" for n in range(stem, stem + 20) if (check := calculate_checksum(str(n))) != 10)


NUMBERS = (valid(999_000_100), valid(999_000_100), valid(999_000_700), valid(999_555_210), "")


def spoilt_people(draw: random.Random, many: int) -> list[dict[str, str]]:
    """Records of one confused family, and of made-up people of five feeds."""
    family = [
        {"nhs_number": draw.choice(NUMBERS)} | {field: draw.choice(said) for field, said in SPOILT.items()}
        for _ in range(many)
    ]
    family[0] |= {"given_name": "Margaret", "family_name": "Quartermaine"}
    family[1] |= {"given_name": "Quartermaine", "family_name": "Margaret"}  # chance alone often swaps no names
    others = records(many // 4, seed=draw.randrange(10**6), harder=True)
    return family + [{field: getattr(r, field, "") for field in FIELDS} for r in others]


def model_text(draw: random.Random, said: Sequence[Fields]) -> str:
    """A model file with any weights, and the shares of the values that a few records say."""
    shares = {
        column: {getattr(each, column): draw.uniform(LEAST / 2, 0.1) for each in said[::3] if getattr(each, column)}
        for column in FIELDS
    }
    return json.dumps(
        {
            **{"version": 1, "name": "any", "link_bits": 4.0, "review_bits": -2.0, "largest_block": LARGEST_BLOCK},
            **{"rules": RULES, "term_frequencies": shares},
            "splink": {
                "link_type": "dedupe_only",
                "unique_id_column_name": "record",
                "probability_two_random_records_match": draw.uniform(1e-7, 1e-2),
                "comparisons": [splink_comparison(draw, name) for name in COMPARED],
            },
        }
    )


def splink_comparison(draw: random.Random, name: str) -> dict[str, Any]:
    compared = comparison(name)
    levels: list[dict[str, Any]] = [{"sql_condition": compared.missing_sql, "is_null_level": True}]
    for level in compared.levels:
        given = {"sql_condition": level.sql, "label_for_charts": level.words}
        given |= {"m_probability": draw.uniform(1e-6, 1), "u_probability": draw.uniform(1e-6, 1)}
        if level.frequency_of:
            given |= {"tf_adjustment_column": level.frequency_of, "tf_minimum_u_value": LEAST}
            given |= {"tf_adjustment_weight": draw.choice((1.0, 0.5))}
        levels.append(given)
    return {"output_column_name": name, "comparison_levels": levels}


def by_splink(text: str, people: Sequence[dict[str, str]], rules: Sequence[str]) -> dict[tuple[int, int], float]:
    """The match weight of every pair that Splink's own blocking brings together by these rules."""
    from splink import DuckDBAPI, Linker

    model = json.loads(text)
    table = columns(pa.table({field: [person[field] for person in people] for field in FIELDS}))
    for column, known in model["term_frequencies"].items():
        said = table[column].to_pylist()
        shares = [None if value is None else known.get(value, LEAST) for value in said]
        table = table.append_column(f"tf_{column}", pa.array(shares, pa.float64()))
    table = table.append_column("record", pa.array(range(len(people))))
    blocking = [{"blocking_rule": rule, "sql_dialect": "duckdb"} for rule in rules]
    settings = model["splink"] | {"blocking_rules_to_generate_predictions": blocking, "sql_dialect": "duckdb"}
    api = DuckDBAPI()
    found = Linker(api.register(table), settings).inference.predict(warning_mode="never").as_pyarrow_table()
    return {
        (left, right): bits
        for left, right, bits in zip(
            *(found[column].to_pylist() for column in ("record_l", "record_r", "match_weight")), strict=True
        )
    }


@pytest.fixture(scope="module")
def drawn() -> tuple[str, list[dict[str, str]], list[Fields], Model]:
    draw = random.Random(random.SystemRandom().randrange(10**9))
    people = spoilt_people(draw, 160)
    said = [fields_of(**person) for person in people]
    text = model_text(draw, said)
    return text, people, said, load(text)


Drawn = tuple[str, list[dict[str, str]], list[Fields], Model]


def test_every_pair_has_the_match_weight_that_splink_gives_it(drawn: Drawn) -> None:
    text, people, said, model = drawn
    splink = by_splink(text, people, ["1=1"])
    assert len(splink) == len(people) * (len(people) - 1) // 2
    for (left, right), bits in splink.items():
        ours = model.score(said[left], said[right])
        assert ours.bits == pytest.approx(bits, abs=1e-9), (said[left], said[right], ours)
    met = {(name, level_of(comparison(name), said[left], said[right])) for left, right in splink for name in COMPARED}
    assert met == {(name, place) for name in COMPARED for place in (None, *range(len(comparison(name).levels)))}


def test_the_pairs_that_share_a_key_are_those_that_splink_looks_at(drawn: Drawn) -> None:
    text, people, said, model = drawn
    rules = [" AND ".join(f'l."{column}" = r."{column}"' for column in rule) for rule in RULES]
    keys = [set(model.keys(each)) for each in said]
    shared = {pair for pair in combinations(range(len(said)), 2) if keys[pair[0]] & keys[pair[1]]}
    assert shared == set(by_splink(text, people, rules))
    assert 0 < len(shared) < len(people) * (len(people) - 1) // 2


def test_batch_finds_the_same_pairs_with_the_same_scores_but_none_by_a_block_too_large(drawn: Drawn) -> None:
    text, people, said, model = drawn
    crowd = [
        {**dict.fromkeys(FIELDS, ""), "family_name": "Ash", "birth_date": "1960-07-19"}
        for _ in range(LARGEST_BLOCK + 1)
    ]
    everybody = [*people, *crowd]
    known = [*said, *(fields_of(**person) for person in crowd)]
    blocks: dict[int, list[int]] = defaultdict(list)
    for place, record in enumerate(known):
        for key in model.keys(record):
            blocks[key].append(place)
    looked_at = {
        pair for block in blocks.values() if len(block) <= model.largest_block for pair in combinations(block, 2)
    }
    assert any(len(block) > model.largest_block for block in blocks.values())
    expected = {pair: model.score(known[pair[0]], known[pair[1]]).bits for pair in looked_at}
    expected = {pair: bits for pair, bits in expected.items() if bits >= model.review_bits}
    table = columns(pa.table({field: [person[field] for person in everybody] for field in FIELDS}))
    found = batch.pairs(text, Files([table])).to_pydict()
    pairs = zip(found["left"], found["right"], strict=True)
    assert dict(zip(pairs, found["bits"], strict=True)) == pytest.approx(expected, abs=1e-9)
    assert expected


def test_one_against_many_is_the_same_score_or_both_are_too_low(drawn: Drawn) -> None:
    *_, said, model = drawn
    enough = 0
    for each in said[::5]:
        against = model.against(each, model.review_bits)
        for other in said:
            score, bits = model.score(each, other), against.bits(other)
            if score.bits >= model.review_bits:
                enough += 1
                assert (bits, against.score(other)) == (pytest.approx(score.bits, abs=1e-9), score)
            else:
                assert score.bits - 1e-9 <= bits < model.review_bits
    assert enough


@pytest.mark.parametrize("name", ["birth_date", "postcode"])
def test_the_level_found_at_once_is_the_first_that_holds(drawn: Drawn, name: str) -> None:
    *_, said, _ = drawn
    compared = comparison(name)
    assert compared.at_once
    values = sorted({getattr(each, name) for each in said} - {""})
    for x, y in product(values, repeat=2):
        a, b = (fields_of(**{name: value}) for value in (x, y))
        tried = next(place for place, level in enumerate(compared.levels) if level.holds(a, b))
        assert compared.at_once(x, y) == tried, (x, y)


def test_a_score_is_the_prior_and_what_each_comparison_gives(drawn: Drawn) -> None:
    *_, said, model = drawn
    for left, right in zip(said, reversed(said), strict=True):
        score = model.score(left, right)
        assert score.bits == pytest.approx(model.prior_bits + sum(bits for _, _, bits in score.levels))
        assert score.bits == pytest.approx(model.score(right, left).bits)
        assert [name for name, _, _ in score.levels] == list(COMPARED)
        assert len(score.code) <= 60  # the table of events has room for so much
        for (name, words, bits), place in zip(score.levels, score.code.split(","), strict=True):
            if place == "-":
                assert (words, bits) == (NOT_COMPARED, 0)
            else:
                assert words == comparison(name).levels[int(place)].words


def test_a_rare_name_says_more_than_a_common_one_and_none_more_than_the_floor(drawn: Drawn) -> None:
    text, *_ = drawn
    file = json.loads(text)
    file["term_frequencies"]["family_name"] = {"SMITH": 0.05, "SELDOM": LEAST / 10}
    model = load(json.dumps(file))

    def bits(name: str) -> float:
        return model.score(Fields(family_name=name), Fields(family_name=name)).bits

    assert bits("SMITH") < bits("SELDOM") == bits("NOBODYELSE")


def spoil(text: str, change: Any) -> str:
    file = json.loads(text)
    change(file)
    return json.dumps(file)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda f: f.pop("splink"), "it lacks 'splink'"),
        (lambda f: f.pop("review_bits"), "it lacks 'review_bits'"),
        (lambda f: f["term_frequencies"].pop("postcode"), "it lacks 'postcode'"),
        (lambda f: f.update(version=2), "another version"),
        (lambda f: f["splink"].update(comparisons=3), "no model file"),
        (lambda f: f["splink"]["comparisons"][2].update(output_column_name="x_job"), "records do not hold"),
        (lambda f: f["splink"]["comparisons"][1]["comparison_levels"].pop(3), "does not know"),
        (lambda f: f["splink"]["comparisons"][1]["comparison_levels"].pop(0), "when a side is missing"),
        (lambda f: f["splink"]["comparisons"][4]["comparison_levels"][1].update(sql_condition="true"), "does not know"),
        (lambda f: f["splink"]["comparisons"][0]["comparison_levels"][2].pop("m_probability"), "was not trained"),
        (lambda f: f["splink"].update(probability_two_random_records_match=1), "above 0 and below 1"),
        (
            lambda f: f["splink"]["comparisons"][1]["comparison_levels"][1].update(tf_adjustment_column="outward"),
            "outward",
        ),
        (lambda f: f.update(rules=[["given_name", "shoe_size"]]), "shoe_size"),
    ],
)
def test_what_is_no_model_file_is_refused_in_words(drawn: Drawn, change: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        load(spoil(drawn[0], change))
    assert "Train" in str(refused.value)


def test_text_that_is_no_json_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="no model file"):
        load("linkage: yes")
