"""Order does not matter and twice is once: whatever is sent, however it is cut, the place ends the same."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joinery.apps.record.compared import linking_model
from tests.apps.record import sending
from tests.apps.record.sending import COMMUNITY, COUNCIL, GP
from tests.oracles import record as oracle
from tests.support import examples

EXAMPLES = examples(80, drill=2_000)
NUMBERS = [sending.nhs_number(1), sending.nhs_number(2)]

Thing = dict[str, Any]


@st.composite
def things(draw: st.DrawFn) -> list[Thing]:
    """Versions of a few people and lines from three services; no two of one thing were updated together."""
    made: list[Thing] = []
    whose = draw(
        st.lists(
            st.tuples(st.sampled_from([GP, COMMUNITY, COUNCIL]), st.sampled_from(["1", "2", "1", "2", "line"])),
            min_size=1,
            max_size=8,
        )
    )
    for moment, (who, local) in enumerate(whose, start=1):
        prefix = "person/" if who == COUNCIL else "Patient/"
        thing: Thing = {"who": who, "updated": f"2026-01-{moment:02}T10:00:00Z"}
        if local == "line":
            thing["key"] = "service/s" if who == COUNCIL else "Observation/o"
            thing["about"] = prefix + draw(st.sampled_from(["1", "2"]))
            thing["title"] = draw(st.sampled_from(["", f"Line {moment}"]))
            if who != COUNCIL and draw(st.booleans()):
                thing["about"] = None
        else:
            thing["key"] = prefix + local
            thing["number"] = draw(st.sampled_from([NUMBERS[0], NUMBERS[0], NUMBERS[0], NUMBERS[1], ""]))
            thing["family"] = draw(st.sampled_from(["Ash", "Birch"]))
            thing["given"] = draw(st.sampled_from(["Ann", "Ben"]))
            thing["born"] = draw(st.sampled_from(["1950-01-02", "1950-02-01", "1948-05-06", ""]))
        made.append(thing)
    return made


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Thing], list[list[Thing]]]:
    """Things, and the files that they come in: any order, any cut, some of them more than once."""
    sent = draw(things())
    stream = draw(st.permutations(sent)) + draw(st.lists(st.sampled_from(sent), max_size=5))
    files: list[list[Thing]] = []
    while stream:
        cut = draw(st.integers(1, len(stream)))
        by_file: dict[tuple[str, str], list[Thing]] = defaultdict(list)
        for thing in stream[:cut]:
            part = thing["key"].split("/")[0] if thing["who"] == COUNCIL else "fhir"
            by_file[thing["who"], part].append(thing)
        files += by_file.values()
        stream = stream[cut:]
    return sent, files + draw(st.lists(st.sampled_from(files), max_size=2))


def resource(thing: Thing) -> sending.Resource:
    local = thing["key"].split("/")[1]
    if "number" in thing:
        said = (thing["number"], thing["family"], thing["given"], thing["born"], thing["updated"])
        return sending.patient(local, *said)
    status = "final" if thing["title"] else "entered-in-error"
    return sending.observation(local, thing["about"], thing["title"] or "Weight", thing["updated"], status)


def row(thing: Thing) -> dict[str, str]:
    if "number" in thing:
        # The extract must give a date of birth; one that was made up is marked, and is not compared.
        born = {"birth_date": thing["born"] or "1900-01-01", "birth_date_estimated": "" if thing["born"] else "Y"}
        named = {"family_name": thing["family"], "given_names": thing["given"], "updated_at": thing["updated"]}
        return sending.person_row(thing["key"].split("/")[1], thing["number"], **named, **born)
    said = {"service_id": "s", "person_id": thing["about"].split("/")[1], "type": thing["title"] or "Care"}
    return said | {"start_date": "2026-01-01", "updated_at": thing["updated"], "deleted": "" if thing["title"] else "1"}


def content(file: list[Thing]) -> bytes:
    if file[0]["who"] == COUNCIL:
        return sending.extract(file[0]["key"].split("/")[0], map(row, file))
    return sending.ndjson(map(resource, file))


@pytest.mark.django_db
@settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(deliveries())
def test_any_order_ends_as_if_everything_had_been_known_at_once(made: tuple[list[Thing], list[list[Thing]]]) -> None:
    sent, files = made
    with transaction.atomic(), tempfile.TemporaryDirectory() as folder:
        sending.register()
        for file in files:
            taken = sending.send(Path(folder), content(file), file[0]["who"])
            assert (taken.rows, taken.quarantined) == (len(file), 0)
        wanted = oracle.lines(sent, linking_model())
        shown = {group: sorted(line.title for line in sending.lines(p)) for p, group in sending.people().items()}
        assert shown == wanted
        before = sending.holds()
        for file in files:
            assert sending.send(Path(folder), content(file), file[0]["who"]).unchanged == len(file)
        assert sending.holds() == before
        transaction.set_rollback(True)
