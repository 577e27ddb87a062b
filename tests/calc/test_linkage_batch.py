"""What training and linking files with Splink promise: nothing by labels, nothing by order, right people."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pyarrow as pa
import pytest

import joinery.definitions
from benchmarks.linking_quality import cluster_pairs
from benchmarks.people import table
from joinery.calc.linkage import batch, training
from joinery.calc.linkage.blocking import LARGEST_BLOCK, Files
from joinery.calc.linkage.fields import FIELDS, columns
from joinery.calc.linkage.model import load
from joinery.site.commands.link.linking import link

Linked = set[tuple[int, int]]


def people(persons: int, seed: int) -> tuple[pa.Table, list[int]]:
    """Made-up records as compared, and whose each is."""
    made = table(persons, seed=seed)
    return columns(made.select([column for column in made.column_names if column in FIELDS])), made[
        "person"
    ].to_pylist()


@pytest.fixture(scope="module")
def place() -> tuple[pa.Table, list[int]]:
    return people(2_500, seed=301)


@pytest.fixture(scope="module")
def trained(place: tuple[pa.Table, list[int]]) -> batch.Trained:
    return batch.train(Files([place[0]]), name="of a test")


@pytest.fixture(scope="module")
def scored(place: tuple[pa.Table, list[int]], trained: batch.Trained) -> list[tuple[int, int, float]]:
    """The pairs that the trained model scores in its own file, far below its line too."""
    found = batch.pairs(trained.text, Files([place[0]]), least_bits=-20.0)
    return list(zip(*(found[column].to_pylist() for column in ("left", "right", "bits")), strict=True))


@pytest.fixture(scope="module")
def found(trained: batch.Trained, scored: list[tuple[int, int, float]]) -> Linked:
    """The pairs of them that it links."""
    line = json.loads(trained.text)["link_bits"]
    return {(left, right) for left, right, bits in scored if bits >= line}


def linked(text: str, files: Files) -> Linked:
    found = batch.pairs(text, files, least_bits=json.loads(text)["link_bits"])
    return set(zip(found["left"].to_pylist(), found["right"].to_pylist(), strict=True))


def true_pairs(people: list[int]) -> Linked:
    of: dict[int, list[int]] = {}
    for record, person in enumerate(people):
        of.setdefault(person, []).append(record)
    return {(a, b) for records in of.values() for a in records for b in records if a < b}


def test_a_model_learnt_without_labels_finds_the_people(
    place: tuple[pa.Table, list[int]], trained: batch.Trained, found: Linked
) -> None:
    right = true_pairs(place[1])
    assert len(found & right) / len(found) > 0.99
    assert len(found & right) / len(right) > 0.97
    assert trained.warnings == ()


def test_the_line_drawn_without_labels_is_near_the_best_that_labels_would_draw(
    place: tuple[pa.Table, list[int]], trained: batch.Trained, scored: list[tuple[int, int, float]]
) -> None:
    right = true_pairs(place[1])
    at_line = best = hits = 0.0
    line = json.loads(trained.text)["link_bits"]
    for count, (left, other, bits) in enumerate(scored, 1):
        hits += (left, other) in right
        f1 = 2 * hits / (count + len(right))
        best = max(best, f1)
        at_line = f1 if bits >= line else at_line
    assert at_line > best - 0.01


def test_neither_order_nor_threads_matter(
    place: tuple[pa.Table, list[int]], trained: batch.Trained, found: Linked
) -> None:
    order = list(range(len(place[0])))
    random.Random(7).shuffle(order)
    shuffled = Files([place[0].take(order)], threads=1)
    again = batch.train(shuffled, name="of a test")
    assert again.text == trained.text
    back = {tuple(sorted((order[a], order[b]))) for a, b in linked(again.text, shuffled)}
    assert back == found


def test_files_without_duplicates_are_only_compared_with_each_other() -> None:
    said, whose = people(1_500, seed=302)
    first, seen = [], set()
    for record, person in enumerate(whose):
        if person not in seen:
            first.append(record)
            seen.add(person)
    rest = [record for record in range(len(whose)) if record not in set(first)]
    files = Files([said.take(first), said.take(rest)], within=False)
    found = linked(batch.train(files).text, files)
    order = first + rest
    right = {(order[a], order[b]) for a, b in found if whose[order[a]] == whose[order[b]]}
    assert all(a < len(first) <= b for a, b in found)
    assert len(right) / len(found) > 0.98
    assert len(right) > 0.95 * len(rest)


def test_further_columns_of_a_file_are_compared_and_bring_records_together() -> None:
    said, whose = people(1_500, seed=303)
    trades = [["BAKER", "MILLER", "SMITH", "FULLER", "COOPER", "TANNER"][person % 6] for person in whose]
    towns = [f"TOWN {person % 97}" for person in whose]
    wider = said.select(
        ["given_name", "family_name", "given_sound", "family_sound", "name_low", "name_high", "nicknames"]
    )
    bare = Files([wider])
    more = Files([wider.append_column("x_trade", [trades]).append_column("x_town", [towns])])
    right = true_pairs(whose)
    alone, together = (linked(batch.train(files).text, files) for files in (bare, more))
    assert len(together & right) > len(alone & right)
    assert len(together & right) / len(together) > 0.9


def test_a_block_of_too_many_counts_for_none() -> None:
    many = LARGEST_BLOCK + 1
    said = columns(
        pa.table({"family_name": ["Lee"] * many, "given_name": [f"Ann{chr(65 + at % 26)}" for at in range(many)]})
    )
    assert ("family_name", "given_name") not in Files([said]).usable_rules()
    files = Files([said])
    files.block((("family_name",),))
    assert files.value("SELECT count(*) FROM blocked") == 0
    files = Files([said.slice(1)])
    files.block((("family_name",),))
    assert files.value("SELECT count(*) FROM blocked") == LARGEST_BLOCK * (LARGEST_BLOCK - 1) / 2


def test_what_tells_nobody_apart_is_refused_in_words() -> None:
    with pytest.raises(batch.Untrained, match="no two records"):
        batch.train(Files([columns(pa.table({"given_name": ["Ann"], "family_name": ["Lee"]}))]))
    with pytest.raises(batch.Untrained, match="say only gender"):
        batch.train(Files([columns(pa.table({"gender": ["male", "female", "male"]}))]))
    with pytest.raises(batch.Untrained, match="No two records"):
        batch.train(
            Files([columns(pa.table({"gender": ["male", "female"] * 60, "postcode": ["E1 6AN", "E1 6AN"] * 60}))])
        )


def test_a_model_that_took_families_for_persons_is_doubted() -> None:
    start = training.Parameters(((0.9, 0.1), (0.9, 0.1)), ((0.1, 0.9), (0.1, 0.9)), 0.001)
    families = training.Parameters(((0.05, 0.95), (0.9, 0.1)), ((0.1, 0.9), (0.1, 0.9)), 0.001)
    words = [["same first name", "different first names"], ["same surname", "different surnames"]]
    assert training.doubts(start, start, words) == []
    assert training.doubts(families, start, words) == [
        'Records taken for one person have the "same first name" no more often than others.'
    ]


def families(homes: int) -> tuple[pa.Table, list[int]]:
    """Families of four at one address: of every second person a second record, and no numbers to tell them apart."""
    draw = random.Random(5)
    rows, whose = [], []
    given = ["".join(draw.choices("aeioubcdlmnrst", k=7)) for _ in range(150)]
    for home in range(homes):
        surname, street = ("".join(draw.choices("aeioubcdlmnrst", k=k)) for k in (8, 12))
        shared = {"family_name": surname, "address": f"{home} {street}", "phone": f"0163296{home:04d}"}
        for member in range(4):
            born = f"{draw.randint(1930, 2020)}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}"
            said = shared | {
                "postcode": f"ZZ{home % 90} {home % 9}AA",
                "given_name": draw.choice(given),
                "birth_date": born,
            }
            for _ in range(1 + member % 2):
                rows.append(said | ({"birth_date": ""} if draw.random() < 0.1 else {}))
                whose.append(4 * home + member)
    return columns(pa.Table.from_pylist(rows)), whose


def test_families_without_numbers_are_not_learnt_for_persons() -> None:
    said, whose = families(250)
    made = link([said], no_duplicates=False, threads=1)
    assert not made.warnings
    found = cluster_pairs(made.clusters.group_of, whose)
    assert found.precision > 0.95 and found.recall > 0.95


def test_the_same_row_twice_is_linked_in_a_small_file_too() -> None:
    others = 8
    names = [chr(65 + at // 6) + "aeiouy"[at % 6] + "lden" for at in range(others)]
    rows = [
        {"given_name": name, "family_name": name[::-1], "birth_date": f"19{40 + at}-0{1 + at % 9}-17"}
        for at, name in enumerate(names)
    ]
    said = columns(pa.Table.from_pylist(rows + rows[:2]))
    groups = link([said], no_duplicates=False, threads=1).clusters.groups()
    assert [group for group in groups if len(group) > 1] == [[0, others], [1, others + 1]]


def test_where_there_is_nothing_to_link_the_line_is_no_lower_than_even_odds() -> None:
    assert training.best_line([(-13.4, 1.0), (-20.0, 5_000.0)]) == 0.0


def test_learning_finds_the_shares_that_patterns_were_made_of() -> None:
    m, u = (0.9, 0.8, 0.7, 0.95, 0.85), (0.01, 0.05, 0.1, 0.02, 0.03)
    share, pairs = 0.001, 1e7
    patterns = []
    for number in range(32):
        places = tuple(number >> at & 1 for at in range(5))
        of_one, of_two = share, 1 - share
        for at, place in enumerate(places):
            of_one *= 1 - m[at] if place else m[at]
            of_two *= 1 - u[at] if place else u[at]
        patterns.append(training.Pattern(places, 0.0, pairs * (of_one + of_two)))
    mixed = tuple((share * a + (1 - share) * b, 1 - share * a - (1 - share) * b) for a, b in zip(m, u, strict=True))
    start = training.Parameters(((0.8, 0.2),) * 5, mixed, 0.002)
    nothing: frozenset[int] = frozenset()
    shape = training.Shape((nothing,) * 5)
    learnt = training.learn(patterns, training.Sample(mixed, (1.0,) * 5, pairs), start, shape)
    assert learnt.share == pytest.approx(share, rel=0.15)
    assert [each[0] for each in learnt.m] == pytest.approx(m, abs=0.05)
    assert [each[0] for each in learnt.u] == pytest.approx(u, rel=0.05)


def test_the_shipped_model_loads_and_finds_the_people(place: tuple[pa.Table, list[int]]) -> None:
    text = (Path(joinery.definitions.__file__).parent / "linkage" / "place.json").read_text()
    model = load(text)
    assert model.review_bits < model.link_bits
    said, right = linked(text, Files([place[0]])), true_pairs(place[1])
    assert len(said & right) / len(said) > 0.99
    assert len(said & right) / len(right) > 0.97


def test_a_file_that_lacks_what_the_model_compares_is_compared_by_the_rest(place: tuple[pa.Table, list[int]]) -> None:
    text = (Path(joinery.definitions.__file__).parent / "linkage" / "place.json").read_text()
    files = Files([place[0].drop_columns(["gender", "nhs_number"])])
    said, right = linked(text, files), true_pairs(place[1])
    assert len(said & right) / len(said) > 0.97
