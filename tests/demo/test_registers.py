"""The registers' files of the made-up place: taken, they say nothing else than its directory already says."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from joinery.apps.base.action import Actor
from joinery.apps.place import actions, facts
from joinery.site.demo.events import definitions
from joinery.site.setup import DEMONSTRATION

AS_OF = date(2026, 11, 21)
COMMON: dict[str, Any] = {"actor": Actor.system("tests"), "at": datetime(2026, 11, 20, 6, 10, tzinfo=UTC)}

pytestmark = pytest.mark.django_db


def said() -> dict[str, set[tuple[str, str, str]]]:
    """What is so of every body of the place on the day, whoever says it. ODS writes names in capitals."""
    found = {}
    for body in definitions("wexcombe", "organisations")["organisation"]:
        shown = facts.show(body["code"], facts.as_at(AS_OF))
        if shown:
            found[body["code"]] = {
                (each.kind, each.value.casefold(), each.other.code if each.other else "") for each in shown.said
            }
    return found


def test_the_registers_say_what_the_directory_says(place: Any) -> None:
    actions.take_directory_file(path=Path(str(DEMONSTRATION)), **COMMON)
    before = said()
    for sent in place.manifest.submissions:
        if sent.feed in ("cqc", "ods"):
            taken = actions.take_directory_file(path=sent.path, **COMMON)
            assert taken.rows == taken.taken >= 4
    after = said()
    assert len(before) > 30
    assert {code: gone for code in before if (gone := before[code] - after[code])} == {}
    new = {code: added for code in before if (added := after[code] - before[code])}
    assert new == {"1-999000102": {("care_home", "no", "")}}  # of home care the register says that too


def test_the_postcodes_of_care_homes_are_known_and_those_of_other_bodies_are_not_among_them() -> None:
    actions.take_directory_file(path=Path(str(DEMONSTRATION)), **COMMON)
    homes = facts.postcodes_of("care_home", facts.as_at(AS_OF))
    assert "ZZ42BB" in homes
    assert homes.isdisjoint(facts.postcodes_of("gp_practice", facts.as_at(AS_OF)))
    assert facts.postcodes_of("hospice", facts.as_at(AS_OF)) == frozenset()
