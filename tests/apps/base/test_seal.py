"""Sealed logs: whatever is done to them with the database's password, `verify` finds and names it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.db import connection, models, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joinery.apps.base import triggers
from joinery.apps.base.columns import select
from joinery.apps.base.models import Access, ActionEntry, SealedBlock
from joinery.apps.base.seal import WATCH_GAPS, BrokenChain, Keys, _rows, seal, verify
from joinery.apps.place.models import Organisation
from tests.support import examples

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 3, 14, 30, tzinfo=UTC)
EXAMPLES = examples(12, drill=1_000)
LOGS = ("base_access", "base_actionentry", "base_capture")


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys")


def look(row_id: int | None = None, minute: int = 0) -> Access:
    return Access.objects.create(
        id=row_id,
        event="e",
        at=AT + timedelta(minutes=minute),
        user_id=7,
        actor="user:7",
        role="gp",
        organisation="Z90001",
        purpose="direct_care",
        what="opened",
        person_id="p1",
        allowed=True,
        reason="involved",
    )


def work(minute: int) -> None:
    """A minute in the life of a deployment: two looks, an action, a change that is captured."""
    look(minute=minute), look(minute=minute)
    ActionEntry.objects.create(
        at=AT, actor="system:tests", action="tests.work", targets={"number": minute}, outcome="done"
    )
    Organisation.objects.create(code=f"C{minute}")


@pytest.fixture
def sealed(keys: Keys) -> Keys:
    """Three minutes of work, sealed each minute: nine blocks, twelve rows."""
    for minute in range(3):
        work(minute)
        assert seal(keys=keys, at=AT + timedelta(minutes=minute)) == 4
    return keys


def problems(keys: Keys) -> list[str]:
    return verify(keys=keys).problems


def execute(sql: str, values: list[Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


@contextmanager
def unguarded() -> Iterator[None]:
    """As an adversary would: the triggers dropped, and put back so that nothing shows."""
    tampered = {*LOGS, "base_sealedblock"}
    for name, table, _ in triggers.installed(connection):
        if table in tampered:
            execute(f'DROP TRIGGER "{name}"' + (f' ON "{table}"' if connection.vendor == "postgresql" else ""))
    yield
    for trigger in triggers.wanted(connection.vendor):
        if trigger.table in tampered:
            for statement in trigger.statements:
                execute(statement)


def ids(table: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT id FROM "{table}" ORDER BY id')
        return [row[0] for row in cursor.fetchall()]


def blocks_of(table: str) -> list[int]:
    return list(SealedBlock.objects.filter(table=table).order_by("id").values_list("id", flat=True))


def test_what_is_sealed_verifies_to_the_last_row(sealed: Keys) -> None:
    found = verify(keys=sealed)
    assert (found.blocks, found.rows, found.unsealed, found.problems) == (9, 12, 0, [])


def test_sealing_again_seals_nothing_again(sealed: Keys) -> None:
    assert seal(keys=sealed, at=AT + timedelta(hours=1)) == 0
    assert SealedBlock.objects.count() == 9


def test_rows_that_are_not_sealed_yet_are_counted(sealed: Keys) -> None:
    work(9)
    found = verify(keys=sealed)
    assert (found.unsealed, found.problems) == (4, [])


def test_nothing_sealed_and_nothing_written_is_no_problem(keys: Keys) -> None:
    found = verify(keys=keys)
    assert (found.blocks, found.rows, found.unsealed, found.problems) == (0, 0, 0, [])


def test_the_key_is_its_owners_only_and_is_made_once(keys: Keys) -> None:
    first = keys.key()
    keys.publish(1, "ab")
    assert keys.key() == first and len(first) == 32
    assert (keys.folder.stat().st_mode & 0o777) == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in keys.folder.iterdir()} == {
        "seal.key": 0o600,
        "joinery.head": 0o600,
    }


def test_a_row_that_commits_out_of_order_is_sealed_late(sealed: Keys) -> None:
    last = ids("base_access")[-1]
    look(last + 3)
    assert seal(keys=sealed, at=AT) == 1
    look(last + 1)
    assert verify(keys=sealed).unsealed == 1
    assert seal(keys=sealed, at=AT + timedelta(minutes=1)) == 1
    look(last + 2)
    look(last + 4)
    assert seal(keys=sealed, at=AT + timedelta(minutes=2)) == 2

    found = verify(keys=sealed)
    assert (found.rows, found.unsealed, found.problems) == (16, 0, [])
    late = SealedBlock.objects.filter(table="base_access").order_by("id").values_list("missing", "late")
    assert list(late)[3:] == [([[last + 1, last + 2]], []), ([], [last + 1]), ([], [last + 2])]


@given(order=st.permutations(range(1, 9)), cuts=st.sets(st.integers(1, 8)))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_whatever_order_rows_commit_each_is_sealed_once(order: list[int], cuts: set[int], tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys")
    shutil.rmtree(keys.folder, ignore_errors=True)
    with transaction.atomic():
        sealed = 0
        for place, offset in enumerate(order):
            look(10_000 + offset * 2)
            if place in cuts:
                sealed += seal(keys=keys, at=AT + timedelta(minutes=place))
        sealed += seal(keys=keys, at=AT + timedelta(hours=1))
        found = verify(keys=keys)
        assert (sealed, found.rows, found.unsealed, found.problems) == (8, 8, 0, [])
        transaction.set_rollback(True)


def test_a_gap_of_a_million_million_rows_costs_nothing(sealed: Keys) -> None:
    look(10**12)
    assert seal(keys=sealed, at=AT) == 1
    assert problems(sealed) == []


def test_a_deleted_row_is_named(sealed: Keys) -> None:
    victim = ids("base_access")[2]
    with unguarded():
        execute("DELETE FROM base_access WHERE id = %s", [victim])
    assert problems(sealed) == [f"base_access row {victim} is missing"]


def test_the_last_rows_deleted_with_their_block_are_missed(sealed: Keys) -> None:
    newest = SealedBlock.objects.latest("id")
    with unguarded():
        execute(f"DELETE FROM {newest.table} WHERE id >= %s", [newest.first_id])
        execute("DELETE FROM base_sealedblock WHERE id = %s", [newest.pk])
    assert problems(sealed) == [
        f"block {newest.pk}, known outside the database, is missing or differs: the log was cut short or made anew"
    ]


@pytest.mark.parametrize("row_id", [0, -5])
def test_a_row_put_before_the_first_is_named(sealed: Keys, row_id: int) -> None:
    look(row_id)
    assert problems(sealed) == [f"base_access row {row_id} was added among sealed rows"]


def test_a_row_put_into_an_old_gap_is_named(sealed: Keys) -> None:
    last = ids("base_access")[-1]
    look(last + 2)
    seal(keys=sealed, at=AT)
    later = AT + WATCH_GAPS + timedelta(hours=1)
    look(last + 3)
    seal(keys=sealed, at=later)
    look(last + 1)

    assert seal(keys=sealed, at=later) == 0
    assert problems(sealed) == [f"base_access row {last + 1} was added among sealed rows"]


def test_two_rows_that_changed_places_are_both_named(sealed: Keys) -> None:
    first, *_, last = ids("base_access")
    with unguarded():
        execute("UPDATE base_access SET id = -1 WHERE id = %s", [first])
        execute("UPDATE base_access SET id = %s WHERE id = %s", [first, last])
        execute("UPDATE base_access SET id = %s WHERE id = -1", [last])
    assert problems(sealed) == [f"base_access row {first} was changed", f"base_access row {last} was changed"]


def test_a_chain_made_anew_with_another_key_does_not_pass(sealed: Keys, tmp_path: Path) -> None:
    with unguarded():
        execute("DELETE FROM base_access WHERE id = %s", [ids("base_access")[0]])
        execute("DELETE FROM base_sealedblock")
        seal(keys=Keys(tmp_path / "other"), at=AT)
    found = problems(sealed)
    assert len([p for p in found if "was changed, or a block before it is missing" in p]) == 3
    assert "made anew" in found[-1]


def test_a_database_put_back_to_an_older_copy_is_noticed_even_after_sealing_goes_on(sealed: Keys) -> None:
    with transaction.atomic():
        work(4)
        seal(keys=sealed, at=AT)
        transaction.set_rollback(True)  # the database forgets; the folder of the keys does not
    (problem,) = problems(sealed)
    assert "known outside the database" in problem

    for minute in range(5, 9):
        work(minute)
        assert seal(keys=sealed, at=AT) == 4
    assert any("known outside the database" in p for p in problems(sealed))


@pytest.mark.parametrize("missing", ["[]", "7", '{"a": [1]}'])
def test_nothing_is_sealed_after_a_forged_block_and_all_is_once_it_is_gone(sealed: Keys, missing: str) -> None:
    execute(
        'INSERT INTO base_sealedblock (at, "table", first_id, last_id, missing, late, digests, head) '
        "VALUES (%s, 'base_access', 1, %s, %s, '[]', %s, 'x')",
        [AT if connection.vendor == "postgresql" else "2026-03-03 14:30:00", 10**15, missing, b""],
    )
    forged = SealedBlock.objects.latest("id").pk
    work(9)
    with pytest.raises(BrokenChain, match="run joinery audit verify"):
        seal(keys=sealed, at=AT)
    assert any(problem.startswith(f"block {forged} was changed") for problem in problems(sealed))
    with unguarded():
        execute("DELETE FROM base_sealedblock WHERE id = %s", [forged])
    assert seal(keys=sealed, at=AT) == 4
    assert problems(sealed) == []


def test_a_change_of_any_column_of_a_sealed_row_is_named(sealed: Keys) -> None:
    for log in LOGS:
        model = next(m for m in triggers.guarded_models() if m._meta.db_table == log)
        victim = ids(log)[1]
        for column, value in _other_values(model, victim):
            with transaction.atomic():
                with unguarded():
                    execute(f'UPDATE "{log}" SET "{column}" = %s WHERE id = %s', [value, victim])
                assert problems(sealed) == [f"{log} row {victim} was changed"], column
                transaction.set_rollback(True)


def test_a_change_of_any_column_of_a_block_is_named(sealed: Keys) -> None:
    victim = blocks_of("base_actionentry")[1]
    nonsense: dict[str, list[Any]] = {
        "table": ["base_access", "place_organisation", ""],
        "head": ["", "é", "0" * 64],
        "digests": [b"", b"0123456789abcdef", b"x" * 17],
    }
    if connection.vendor == "sqlite":
        nonsense |= {"at": ["", "yesterday", "2026-99-99"], "missing": ["[[1]]", "7"], "first_id": ["one"]}
    for column, value in _other_values(SealedBlock, victim):
        nonsense.setdefault(column, []).append(value)
    for column, values in nonsense.items():
        for value in values:
            with transaction.atomic():
                with unguarded():
                    execute(f'UPDATE base_sealedblock SET "{column}" = %s WHERE id = %s', [value, victim])
                assert any(p.startswith(f"block {victim} was changed") for p in problems(sealed)), (column, value)
                transaction.set_rollback(True)
    assert problems(sealed) == []


def _other_values(model: type[models.Model], row_id: int) -> Iterator[tuple[str, Any]]:
    """A value for each column but the key that the row does not hold now."""
    row = model._base_manager.get(pk=row_id)
    for field in model._meta.concrete_fields:
        now = getattr(row, field.attname)
        if isinstance(field, models.BooleanField):
            yield field.column, not now
        elif isinstance(field, models.IntegerField) and not field.primary_key:
            yield field.column, (now or 0) + 1
        elif isinstance(field, models.DateTimeField):
            moved = now + timedelta(microseconds=1)
            yield field.column, moved if connection.vendor == "postgresql" else str(moved.replace(tzinfo=None))
        elif isinstance(field, models.JSONField):
            yield field.column, "[[3, 4]]" if now == [] else '{"number": 99}'
        elif isinstance(field, models.BinaryField):
            yield field.column, bytes(now)[::-1]
        elif isinstance(field, models.CharField | models.TextField):
            yield field.column, f"{now}x"[-field.max_length :] if getattr(field, "max_length", None) else f"{now}x"


TAMPERINGS = ("change", "delete", "swap", "move", "drop block", "edit block", "swap blocks")


@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_tampering_goes_unfound(data: st.DataObject, sealed: Keys) -> None:
    before = _state()
    with transaction.atomic():
        with unguarded():
            for _ in range(data.draw(st.integers(1, 3), "how many")):
                _tamper(data)
        assert bool(problems(sealed)) == (_state() != before)
        transaction.set_rollback(True)
    assert problems(sealed) == []


def _tamper(data: st.DataObject) -> None:
    how = data.draw(st.sampled_from(TAMPERINGS), "how")
    table = "base_sealedblock" if "block" in how else data.draw(st.sampled_from(LOGS), "table")
    held = ids(table)
    if len(held) < 2:
        return
    one = data.draw(st.sampled_from(held), "row")
    other = data.draw(st.sampled_from([i for i in held if i != one]), "other row")
    if how in ("delete", "drop block"):
        execute(f'DELETE FROM "{table}" WHERE id = %s', [one])
    elif how == "move":
        free = data.draw(st.integers(-3, held[-1] + 3).filter(lambda i: i not in held), "to")
        execute(f'UPDATE "{table}" SET id = %s WHERE id = %s', [free, one])
    elif how in ("swap", "swap blocks"):
        for was, now in ((one, -1_000), (other, one), (-1_000, other)):
            execute(f'UPDATE "{table}" SET id = %s WHERE id = %s', [now, was])
    else:
        model = next(m for m in triggers.guarded_models() if m._meta.db_table == table)
        column, value = data.draw(st.sampled_from(list(_other_values(model, one))), "column")
        execute(f'UPDATE "{table}" SET "{column}" = %s WHERE id = %s', [value, one])


def _state() -> list[Any]:
    state = []
    for table in (*LOGS, "base_sealedblock"):
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{table}" ORDER BY id')
            state.append([tuple(bytes(v) if isinstance(v, memoryview) else v for v in r) for r in cursor.fetchall()])
    return state


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40))
def test_the_digest_is_of_the_same_text_on_either_database(name: str) -> None:
    """SQLite writes the text itself: as orjson writes it of what Python reads."""
    made = Access.objects.create(
        event="e", at=AT, user_id=None, actor=name, role="gp", organisation='"\\', purpose="", what="", allowed=False,
        reason=name[:20],
    )  # fmt: skip
    ((row_id, text),) = _rows(Access, f"id = {made.pk}")
    (stored,) = select(
        'SELECT id, event, CAST(at AS TEXT), user_id, actor, role, organisation, purpose, what, person_id, '
        "allowed, reason FROM base_access WHERE id = %s", [made.pk],
    )  # fmt: skip
    values = [v if v is None or isinstance(v, str) else str(v) for v in stored]
    if connection.vendor == "postgresql":
        values[2] = str(made.at)
    assert (row_id, text) == (made.pk, orjson.dumps(["base_access", *values]))


@pytest.mark.skipif(os.environ.get("JOINERY_DATABASE", "") != "", reason="PostgreSQL takes no bytes for a text")
def test_bytes_in_the_place_of_a_text_stop_no_sealing_and_are_named(sealed: Keys) -> None:
    victim = ids("base_access")[1]
    with unguarded():
        execute("UPDATE base_access SET what = CAST(what AS BLOB) WHERE id = %s", [victim])
    assert problems(sealed) == [f"base_access row {victim} was changed"]
    execute(
        "INSERT INTO base_access (event, at, actor, role, organisation, purpose, what, allowed, reason) "
        "VALUES ('e', '2026-03-03 14:30:00', X'00ff', '', '', '', '', 0, '')"
    )
    assert seal(keys=sealed, at=AT + timedelta(minutes=5)) == 1
    assert problems(sealed) == [f"base_access row {victim} was changed"]
