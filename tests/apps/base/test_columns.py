"""Rows by the thousand: ids that nobody else is given, values that come back as they went in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joinery.apps.base.columns import insert_rows, marks, reserve_ids, select, stored
from joinery.apps.base.models import User
from joinery.apps.place.models import Edition, Organisation, Postcode

pytestmark = pytest.mark.django_db

COLUMNS = ("id", "code")
AT = datetime(2026, 3, 3, 14, 30, tzinfo=UTC)


def through_orm(code: str) -> int:
    return Organisation.objects.create(code=code).pk


@given(steps=st.lists(st.one_of(st.none(), st.integers(0, 40)), min_size=1, max_size=8))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_reserved_ids_never_collide_with_ids_that_the_orm_gives(steps: list[int | None]) -> None:
    """A step is a row of the ORM's (None), or a batch of so many rows."""
    Organisation.objects.all().delete()
    given_ids: list[int] = []
    for step, size in enumerate(steps):
        if size is None:
            given_ids.append(through_orm(f"orm{step}"))
            continue
        ids = reserve_ids(Organisation, size)
        assert len(ids) == size
        insert_rows(Organisation, COLUMNS, [(i, f"b{step}-{i}") for i in ids])
        given_ids += ids
    given_ids.append(through_orm("last"))
    assert len(given_ids) == len(set(given_ids)) == Organisation.objects.count()


def test_an_id_is_not_given_again_after_its_row_is_gone() -> None:
    made = through_orm("a")
    Organisation.objects.all().delete()
    assert reserve_ids(Organisation, 2).start > made


def test_none_reserved_and_none_inserted_is_nothing() -> None:
    assert len(reserve_ids(Organisation, 0)) == 0
    insert_rows(Organisation, COLUMNS, [])
    assert not Organisation.objects.exists()


@given(
    at=st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 (hypothesis adds the zone)
    hours=st.integers(-12, 14),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_moment_is_stored_as_the_orm_stores_it(at: datetime, hours: int) -> None:
    moment = at.replace(tzinfo=timezone(timedelta(hours=hours)))
    (user_id,) = reserve_ids(User, 1)
    columns = ("id", "email", "name", "password", "home_postcode", "takes_notices", "is_active", "created_at")
    insert_rows(User, columns, [(user_id, f"{user_id}@place.example", "A", "", "", True, True, stored(moment))])

    assert User.objects.get(pk=user_id).created_at == moment
    assert User.objects.filter(created_at=moment, pk=user_id).exists()  # as text too, where moments are text
    assert select("SELECT id FROM base_user WHERE id = %s AND created_at = %s", [user_id, stored(moment)])


def test_text_of_any_kind_goes_in_and_out() -> None:
    said = 'O\'Brien; DROP TABLE "x" -- %s 100% \N{SNOWMAN}'
    (row_id,) = reserve_ids(Organisation, 1)
    insert_rows(Organisation, COLUMNS, [(row_id, said)])
    assert select("SELECT code FROM place_organisation WHERE id = %s", [row_id]) == [(said,)]


@given(
    same=st.sampled_from(["", "Home care", "it's", "5%s ?1 $1", "a\\'b", "03:04+00"]),
    to_date=st.sampled_from(["2026-02-01", None]),
    rows=st.integers(1, 120),
    other=st.none() | st.integers(0, 119),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_the_same_in_every_row_is_stored_as_what_is_not(
    same: str, to_date: str | None, rows: int, other: int | None
) -> None:
    """`other` is a row that says something else, if there is one."""
    edition = Edition.objects.create(kind="act", source="hand", title="", made_by="test", made_at=AT)
    said = [(edition.pk, f"Z{n}", "other" if n == other else same, "2026-01-01", to_date) for n in range(rows)]
    with transaction.atomic():
        insert_rows(Postcode, ("edition_id", "postcode", "lsoa", "from_date", "to_date"), said)
    held = Postcode.objects.filter(edition=edition).order_by("id")
    values = held.values_list("edition_id", "postcode", "lsoa", "from_date", "to_date")
    assert [(*row[:3], *(day and str(day) for day in row[3:])) for row in values] == said


def test_an_empty_list_of_values_matches_nothing() -> None:
    through_orm("a")
    count = "SELECT COUNT(*) FROM place_organisation WHERE code IN ({})"
    assert select(count.format(marks([])), []) == [(0,)]
    assert select(count.format(marks(["a", "b"])), ["a", "b"]) == [(1,)]


def test_no_moment_stays_none() -> None:
    assert stored(None) is None
    assert stored(datetime(2026, 3, 3, tzinfo=UTC)) is not None
