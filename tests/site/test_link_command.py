"""`joinery link run`, `explain`, `split`, `merge` and `undo`, on the demonstration, whose truth is known."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pytest

from joinery.__main__ import parser
from tests.support import Deployment, copied_deployment, empty_deployment

PEOPLE, AS_OF = 200, "2026-11-21"
BY = ("--by", "tom@demo.example", "--by", "priya@demo.example")


@dataclass
class Linked:
    """The records of a deployment: who each really is, and the person that Joinery makes of it."""

    true: dict[int, int]
    person: dict[int, str]
    case: dict[int, str]

    def of(self, case: str) -> list[list[int]]:
        """The records of each person of a case, in the order in which the case tells of them."""
        people = [person for person, name in self.case.items() if name == case]
        return [[record for record, true in self.true.items() if true == person] for person in people]

    def contaminated(self) -> set[int]:
        """Records whose person has a record of somebody else."""
        together = defaultdict(set)
        for record, person in self.person.items():
            together[person].add(self.true[record])
        return {record for record, person in self.person.items() if len(together[person]) > 1}

    def recall(self) -> float:
        """The share of true pairs that are one person here, of people who are not made to be hard."""
        by_person = defaultdict(list)
        for record, true in self.true.items():
            if true not in self.case:
                by_person[true].append(record)
        pairs = [pair for records in by_person.values() for pair in combinations(records, 2)]
        return sum(self.person[a] == self.person[b] for a, b in pairs) / len(pairs)

    def parted(self) -> set[str]:
        """The cases of which somebody has several people here."""
        return {name for name in self.case.values() for own in self.of(name) if len({self.person[r] for r in own}) > 1}


def linked(deployment: Deployment) -> Linked:
    truth = {
        (row["organisation"], row["kind"], row["local_id"]): int(row["person"])
        for row in table(deployment.data / "feeds/truth/truth.csv")
    }
    kinds = {"adt": "Patient"}
    true, person = {}, {}
    for record, organisation, feed, local_id, linked_to in deployment.sql(
        "SELECT r.id, o.code, so.feed, r.local_id, k.person_id FROM record_link k "
        "JOIN record_submission s ON s.id = k.submission_id AND s.published_at IS NOT NULL "
        "JOIN record_sourcerecord r ON r.id = k.record_id JOIN record_source so ON so.id = r.source_id "
        "JOIN place_organisation o ON o.id = so.organisation_id ORDER BY k.id"
    ):
        kind, _, own = local_id.partition("/") if feed not in kinds else (kinds[feed], "", local_id)
        true[record], person[record] = truth[organisation, kind, own], linked_to
    cases = {int(row["person"]): row["case"] for row in table(deployment.data / "feeds/truth/cases.csv")}
    return Linked(true, person, cases)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with empty_deployment(tmp_path_factory.mktemp("demo") / "data") as made:
        done = made.run("demo", "--people", PEOPLE, "--as-of", AS_OF, "--no-serve", timeout=300)
        assert done.returncode == 0, done.stderr
        yield made


@pytest.fixture
def copy(demo: Deployment, tmp_path: Path) -> Iterator[Deployment]:
    with copied_deployment(demo, tmp_path / "data") as made:
        yield made


def refused(deployment: Deployment, *words: object) -> str:
    """What a command that is refused says."""
    done = deployment.run("link", *words, "--json")
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    return str(json.loads(done.stdout)["error"])


def person_of(deployment: Deployment, record: int) -> str:
    return str(deployment.json("link", "explain", record)["person"])


# -- as records arrive ----------------------------------------------------------------------------------


def test_nobody_is_joined_with_somebody_else_and_hardly_a_link_is_missed(demo: Deployment) -> None:
    found = linked(demo)
    assert found.contaminated() == set()
    assert found.recall() > 0.98
    # What nobody but a person can tell.
    waiting = {"twins", "father_and_son", "spouses_number", "married_name", "called_otherwise", "little_known"}
    assert found.parted() <= waiting | {"transliterated"}


@pytest.mark.parametrize("case", ["twins", "father_and_son"])
def test_a_record_that_fits_two_people_as_well_goes_to_neither_and_waits(demo: Deployment, case: str) -> None:
    found = linked(demo)
    _, records = found.of(case)
    (unsure,) = [r for r in records if [found.person[other] for other in records].count(found.person[r]) == 1][-1:]
    waits = {pair["waits"] for pair in demo.json("link", "explain", unsure)["pairs"] if unsure in pair["records"]}
    assert "torn" in waits


@pytest.mark.parametrize("case", ["no_number", "double_barrelled", "name_order"])
def test_who_has_no_number_is_linked_by_score(demo: Deployment, case: str) -> None:
    found = linked(demo)
    (records,) = found.of(case)
    assert len(records) >= 2 and len({found.person[record] for record in records}) == 1
    ids = ", ".join(map(str, records))
    among = f"record_id IN ({ids}) AND other_id IN ({ids})"
    assert ("same",) in demo.sql(f"SELECT verdict FROM record_matchevent WHERE channel = 'score' AND {among}")


def test_a_husbands_number_does_not_file_his_wife_under_him(demo: Deployment) -> None:
    found = linked(demo)
    his, hers = found.of("spouses_number")
    assert not {found.person[record] for record in his} & {found.person[record] for record in hers}


def test_namesakes_of_one_day_stay_two(demo: Deployment) -> None:
    found = linked(demo)
    one, other = found.of("namesakes")
    assert {found.person[r] for r in one}.isdisjoint(found.person[r] for r in other)


# -- everything anew ------------------------------------------------------------------------------------


def test_linking_everything_anew_finds_what_arrival_found(copy: Deployment) -> None:
    before = linked(copy).person
    done = copy.json("link", "run")
    assert done["records"] == len(before) and done["people"] == done["people_before"] == len({*before.values()})
    assert (done["changed"], done["moved"]) == (0, 0) and linked(copy).person == before
    assert done["same"] > 0 and done["waiting"] > 0


def test_too_few_records_to_train_on_are_refused_and_nothing_changes(copy: Deployment) -> None:
    assert "too few" in refused(copy, "run", "--train")
    assert copy.sql("SELECT COUNT(*) FROM record_linkmodel") == [(0,)]


# -- explained ------------------------------------------------------------------------------------------


def test_every_link_is_explained_in_bits_that_add_up(demo: Deployment) -> None:
    (records,) = linked(demo).of("double_barrelled")
    answer = demo.json("link", "explain", records[0])
    assert {each["record"] for each in answer["records"] if each["person"] == answer["person"]} == {*records}
    (scored,) = [pair for pair in answer["pairs"] if [e["channel"] for e in pair["events"]] == ["score"]][:1]
    total = answer["prior_bits"] + sum(level["bits"] for level in scored["levels"])
    assert total == pytest.approx(scored["bits"], abs=0.05)
    assert scored["bits"] == pytest.approx(scored["events"][0]["bits"], abs=0.01) and scored["share"]
    assert scored["bits"] >= answer["link_bits"] > answer["review_bits"]
    assert all(level["words"] for level in scored["levels"])
    assert [link["person"] for link in answer["history"]][-1] == answer["person"]


def test_two_records_that_are_apart_say_why(demo: Deployment) -> None:
    one, other = linked(demo).of("namesakes")
    done = demo.run("link", "explain", one[0], other[0])
    assert done.returncode == 0 and "are not one person" in done.stdout and "different NHS numbers" in done.stdout
    (pair,) = demo.json("link", "explain", other[0], one[0])["pairs"]
    assert pair["records"] == sorted([one[0], other[0]]) and not pair["together"]


def test_people_who_share_nothing_are_not_even_compared(demo: Deployment) -> None:
    found = linked(demo)
    (one,), (other,) = found.of("no_number")[:1], found.of("name_order")[:1]
    (pair,) = demo.json("link", "explain", one[0], other[0])["pairs"]
    assert not pair["share"] and pair["events"] == [] and pair["bits"] < 0
    assert "share nothing" in demo.run("link", "explain", one[0], other[0]).stdout


def test_nothing_that_is_printed_names_anybody(demo: Deployment) -> None:
    said = {
        str(value).casefold()
        for row in demo.sql("SELECT family_name, given_name, nhs_number, birth_date FROM record_details")
        for value in row
        if value and len(str(value)) > 3
    }
    record = linked(demo).of("spouses_number")[0][0]
    for form in ((), ("--json",)):
        done = demo.run("link", "explain", record, *form)
        printed = {*(done.stdout + done.stderr).casefold().replace('"', " ").replace(",", " ").split()}
        assert len(printed) > 50 and not printed & said


def test_nobody_is_explained_as_nobody(demo: Deployment) -> None:
    for words in (("nobody",), (1, 999999)):
        assert "There is nobody under that number" in refused(demo, "explain", *words)
    assert "Give another one" in refused(demo, "explain", 1, 1)


# -- decided --------------------------------------------------------------------------------------------


def test_a_split_is_a_person_of_its_own_and_undone_it_is_as_before(copy: Deployment) -> None:
    before = linked(copy)
    (records,) = before.of("double_barrelled")
    person, apart = before.person[records[0]], records[-1]
    done = copy.json("link", "split", person, "--record", apart, "--note", "tried")
    assert (done["person"], done["records"]) == (person, [apart]) and done["now"] != person
    assert person_of(copy, apart) == done["now"] and person_of(copy, records[0]) == person
    assert copy.json("link", "run")["moved"] == 0  # it stays apart, whatever the score says
    (pair,) = copy.json("link", "explain", records[0], apart)["pairs"]
    assert ("reviewer", "apart") in [(event["channel"], event["verdict"]) for event in pair["events"]]

    copy.json("link", "undo", records[0], apart)
    assert linked(copy).person == before.person
    assert copy.json("link", "explain", done["now"])["person"] == person  # the old id leads somewhere


def test_a_merge_takes_two_users_and_undone_it_is_as_before(copy: Deployment) -> None:
    before = linked(copy)
    one, other = (before.person[records[0]] for records in before.of("namesakes"))
    assert "two people" in refused(copy, "merge", one, other, *BY[:2], "--by", "Tom@demo.example")
    assert "Nobody signs in as" in refused(copy, "merge", one, other, *BY[:2], "--by", "eve@demo.example")
    assert linked(copy).person == before.person

    done = copy.json("link", "merge", one, other, *BY)
    assert done["person"] in (one, other) and {*done["merged"]} == {one, other}
    assert copy.json("link", "explain", one)["person"] == copy.json("link", "explain", other)["person"]
    answer = copy.json("link", "explain", done["person"])
    (decided,) = [p for p in answer["pairs"] if any(e["channel"] == "reviewer" for e in p["events"])]
    copy.json("link", "undo", *decided["records"])
    assert linked(copy).person == before.person


def test_what_cannot_be_decided_is_refused_with_the_reason(demo: Deployment) -> None:
    assert "No person is known" in refused(demo, "split", "0123456789abcdef0123", "--record", 1)
    assert "Nobody has decided" in refused(demo, "undo", 1, 2)


@pytest.mark.parametrize("words", ["split a --record x", "split a", "undo 1", "merge a b", "explain", "explain 1 b"])
def test_a_command_that_is_wrong_ends_with_2(words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["link", *words.split()])
    assert ended.value.code == 2
