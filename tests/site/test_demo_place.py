"""The demonstration as a place: asked by the command line, with something to decide."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import Deployment, empty_deployment


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with empty_deployment(tmp_path_factory.mktemp("demo") / "data") as made:
        done = made.run("demo", "--people", "2", "--as-of", "2026-11-21", "--no-serve")
        assert done.returncode == 0, done.stderr
        yield made


def test_where_mrs_smith_lives_every_level_answers(demo: Deployment) -> None:
    bodies = demo.json("place", "responsible", "--postcode", "ZZ1 1AB")["bodies"]
    assert [each["body"]["level"] for each in bodies] == [
        "neighbourhood", "place", "hwb", "council", "sub_icb", "icb", "icp", "region", "department",
    ]  # fmt: skip
    assert [each["passed_from"] for each in bodies if each["body"]["code"] == "ZQ3"] == ["ZQ1"]


def test_the_community_trust_was_formed_from_two(demo: Deployment) -> None:
    assert {each["from"]["code"] for each in demo.json("place", "history", "ZC1")["before"]} == {"ZC8", "ZC9"}


def test_a_proposal_is_there_to_look_through(demo: Deployment) -> None:
    (proposal,) = demo.json("place", "proposals")["proposals"]
    assert proposal["state"] == "draft"
    look = ("--at", "2029-01-01", "--proposal", proposal["proposal"])
    shore = demo.json("place", "responsible", "--lsoa", "E01999006", *look)["bodies"][0]["body"]
    assert shore["name"] == "Shore neighbourhood"
    council = demo.json("place", "responsible", "--lsoa", "E01999101", *look)["bodies"]
    assert "999" in [each["body"]["code"] for each in council]
    (cut,) = demo.json("place", "atoms", "--set", "council@2026-11-21", "--proposal", proposal["proposal"])["cut"]
    assert len(cut["atoms"]) == 1


def test_a_membership_waits_for_a_decision(demo: Deployment) -> None:
    (waits,) = demo.json("place", "waiting")["memberships"]
    assert waits["user"] == "Nia Bowen" and {body["code"] for body in waits["choices"]} == {"ZT01", "ZL2"}


def test_england_is_there_too_and_migrating_again_takes_nothing(demo: Deployment) -> None:
    assert demo.json("place", "show", "QJK")["body"]["form"] == "icb"
    assert demo.json("migrate")["definitions"] == []
    refused = demo.run("place", "start", "QJK")
    assert refused.returncode == 1 and "holds a demonstration" in refused.stderr
