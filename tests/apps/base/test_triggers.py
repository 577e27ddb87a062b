"""What the database itself refuses and records, whoever asks and however, on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import pytest
from django.db import DatabaseError, connection, models, transaction
from django.db.models import Value
from django.db.models.functions import Concat

from joinery.apps.base import triggers
from joinery.apps.base.models import Access, Capture, User
from joinery.apps.place.models import Membership, Organisation, Statement

pytestmark = pytest.mark.django_db

_numbers = count(1)
AT = datetime(2026, 3, 3, 14, 30, tzinfo=UTC)
GUARDED = triggers.guarded_models()
APPEND_ONLY = [m for m in GUARDED if isinstance(m.guard, triggers.AppendOnly)]
CAPTURED = [m for m in GUARDED if isinstance(m.guard, triggers.Captured)]
# What drafts hang on: the field that points at it, and how it comes to count.
HOLDERS = {
    "submission": ("published_at", "UPDATE record_submission SET published_at = received_at"),
    "edition": ("sequence", "UPDATE place_edition SET sequence = id, adopted_at = made_at"),
    "upload": ("published_at", "UPDATE measures_upload SET published_at = made_at"),
}
# What it holds while it does not count yet.
COUNTS: dict[str, dict[str, None]] = {name: {column: None} for name, (column, _) in HOLDERS.items()} | {
    "edition": {"sequence": None}
}
# What is free until something points at it: the model that does, and by which field.
POINTED_AT = {"person": ("link", "person"), "series": ("point", "series")}
DRAFTS = {m: HOLDERS[f.name] for m in APPEND_ONLY if m.guard.free_while for f in m._meta.fields if f.name in HOLDERS}


def table_of(model: type[models.Model]) -> str:
    return model._meta.db_table


def execute(sql: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        if sql.startswith("TRUNCATE"):
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # or the rows just made would stand in its way
        cursor.execute(sql)


def make(model: type[models.Model], **given: Any) -> models.Model:
    """Any row of a model, with the rows that it points at."""
    values: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if field.name in given:
            values[field.name] = given[field.name]
        elif isinstance(field, models.ForeignKey) and field.related_model is model:
            values[field.name] = None  # one that follows another of its kind, which would follow another
        elif isinstance(field, models.ForeignKey):
            values[field.name] = make(field.related_model, **given)
        elif not isinstance(field, models.AutoField) and not isinstance(field, models.CompositePrimaryKey):
            values[field.name] = _value(field)
    return model._base_manager.create(**values)


def _value(field: models.Field) -> Any:
    for kind, value in (
        (models.DateTimeField, AT),
        (models.DateField, date(2026, 3, 3)),
        (models.BooleanField, False),
        (models.IntegerField, 1),
        (models.FloatField, 1.5),
        (models.JSONField, []),
        (models.BinaryField, b"0123456789abcdef"),
        (models.EmailField, f"u{User.objects.count()}@place.example"),
        (models.CharField, f"c{next(_numbers)}" if field.unique else "c"),
        (models.TextField, "text"),
    ):
        if isinstance(field, kind):
            return value
    raise NotImplementedError(field)


def made(model: type[models.Model]) -> models.Model:
    """A row that counts: what a draft hangs on comes to count after it."""
    if model in DRAFTS:
        column, count = DRAFTS[model]
        row = make(model, **{column: None})
        execute(count)
        return row
    row = make(model)
    if model._meta.model_name in POINTED_AT:
        name, field = POINTED_AT[model._meta.model_name]
        make(next(m for m in APPEND_ONLY if m._meta.model_name == name), **{field: row})
    return row


def test_every_table_of_ours_says_how_it_is_guarded() -> None:
    assert {m._meta.label for m in GUARDED if not hasattr(m, "guard")} == set()
    assert {"base.Access", "base.ActionEntry", "base.Capture", "base.SealedBlock"} <= {
        m._meta.label for m in APPEND_ONLY
    }
    assert len(APPEND_ONLY) > 8 and len(CAPTURED) > 3
    # Every table of which some rows are free is one of those that the tests below know how to fill.
    free = {m._meta.model_name for m in APPEND_ONLY if m.guard.free_while}
    assert free == {m._meta.model_name for m in DRAFTS} | POINTED_AT.keys()


@pytest.mark.parametrize("model", APPEND_ONLY, ids=table_of)
def test_a_row_of_an_append_only_table_is_never_changed_deleted_or_replaced(model: type[models.Model]) -> None:
    row = made(model)
    table, key = model._meta.db_table, model._meta.pk.column
    column = next(f.column for f in reversed(model._meta.concrete_fields))
    before = list(model._base_manager.values())
    attempts = [
        f'UPDATE "{table}" SET "{column}" = "{column}"',
        f'UPDATE "{table}" SET "{key}" = "{key}"',
        f'DELETE FROM "{table}"',
    ]
    if connection.vendor == "sqlite":
        columns = ", ".join(f'"{f.column}"' for f in model._meta.concrete_fields)
        attempts += [
            f'REPLACE INTO "{table}" SELECT * FROM "{table}"',
            f'UPDATE OR REPLACE "{table}" SET "{key}" = "{key}"',
            f'INSERT INTO "{table}" ({columns}) SELECT {columns} FROM "{table}" WHERE true '
            f'ON CONFLICT("{key}") DO UPDATE SET "{column}" = excluded."{column}"',
        ]
    else:
        attempts += [f'TRUNCATE "{table}" CASCADE']
    for sql in attempts:
        with pytest.raises(DatabaseError, match="append-only|refused"):
            execute(sql)
    assert list(model._base_manager.values()) == before
    assert row.pk is not None


@pytest.mark.parametrize(
    ("table", "key", "others"), [("record_item", "source_id", "key"), ("record_sourcerecord", "source_id", "local_id")]
)
def test_a_row_is_not_replaced_by_another_with_the_same_unique_values(table: str, key: str, others: str) -> None:
    made(next(m for m in APPEND_ONLY if m._meta.db_table == table))
    verb = "INSERT OR REPLACE" if connection.vendor == "sqlite" else "INSERT"
    with pytest.raises(DatabaseError):
        execute(f'{verb} INTO {table} (id, {key}, "{others}") SELECT id + 1000, {key}, "{others}" FROM {table}')


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite replaces rows")
def test_no_draft_takes_the_place_of_what_counts_and_no_captured_row_is_replaced_unseen() -> None:
    draft, counts = (make(Statement, sequence=sequence) for sequence in (None, 1))
    with pytest.raises(DatabaseError, match="append-only"):
        execute(f"UPDATE OR REPLACE place_statement SET id = {counts.pk} WHERE id = {draft.pk}")
    assert set(Statement.objects.values_list("pk", flat=True)) == {draft.pk, counts.pk}

    body = make(Organisation, code="A")
    execute(f"REPLACE INTO place_organisation (id, code) VALUES ({body.pk}, 'B')")
    captured = Capture.objects.filter(table="place_organisation", row=str(body.pk)).order_by("id")
    assert [c.operation for c in captured] == ["INSERT", "DELETE", "INSERT"]


@pytest.mark.parametrize("model", DRAFTS, ids=table_of)
def test_a_draft_goes_until_what_it_hangs_on_counts(model: type[models.Model]) -> None:
    column, count = DRAFTS[model]
    make(model, **{column: None})
    table = model._meta.db_table
    with transaction.atomic():
        execute(f'DELETE FROM "{table}"')
        assert model._base_manager.count() == 0
        transaction.set_rollback(True)
    execute(count)
    with pytest.raises(DatabaseError, match="append-only"):
        execute(f'DELETE FROM "{table}"')


@pytest.mark.parametrize("model", CAPTURED, ids=table_of)
def test_every_change_of_a_captured_table_leaves_one_row_that_says_what_changed(model: type[models.Model]) -> None:
    row = make(model, **COUNTS.get(model._meta.model_name, {}))
    table, key, column = model._meta.db_table, model._meta.pk.column, model._meta.concrete_fields[-1].column
    captured = Capture.objects.filter(table=table)
    assert [(c.operation, c.row, c.old) for c in captured] == [("INSERT", str(row.pk), None)]

    execute(f'UPDATE "{table}" SET "{column}" = "{column}" WHERE "{key}" = {row.pk}')
    model._base_manager.filter(pk=row.pk).update(**{model._meta.concrete_fields[-1].name: _value_of(row)})
    execute(f'DELETE FROM "{table}" WHERE "{key}" = {row.pk}')

    assert [c.operation for c in captured.order_by("id")] == ["INSERT", "UPDATE", "UPDATE", "DELETE"]
    last = captured.order_by("id").last()
    assert last is not None and last.new is None and json.loads(last.old)[key] == row.pk
    if connection.vendor == "postgresql":
        with pytest.raises(DatabaseError, match="could not be captured|append-only"):
            execute(f'TRUNCATE "{table}" CASCADE')


@pytest.mark.parametrize("model", [m for m in CAPTURED if m.guard.free_while], ids=table_of)
def test_what_counts_is_never_made_a_draft_again(model: type[models.Model]) -> None:
    """Or all that hangs on it could be deleted."""
    make(model)
    before = list(model._base_manager.values())
    table, column = model._meta.db_table, HOLDERS[model._meta.model_name][0]
    attempts = [
        f'UPDATE "{table}" SET "{column}" = NULL',
        f'UPDATE "{table}" SET id = id + 1',
        f'DELETE FROM "{table}"',
    ]
    if connection.vendor == "sqlite":
        names = [f.column for f in model._meta.concrete_fields]
        values = ", ".join("NULL" if name == column else f'"{name}"' for name in names)
        attempts.append(f'REPLACE INTO "{table}" ({", ".join(names)}) SELECT {values} FROM "{table}"')
    for sql in attempts:
        with pytest.raises(DatabaseError, match="append-only"):
            execute(sql)
    assert list(model._base_manager.values()) == before


def _value_of(row: models.Model) -> Any:
    return getattr(row, row._meta.concrete_fields[-1].attname)


def test_rows_made_in_bulk_and_by_raw_sql_are_captured_one_by_one() -> None:
    Organisation.objects.bulk_create(Organisation(code=c) for c in ("A", "B"))
    execute("INSERT INTO place_organisation (code) VALUES ('it''s C')")
    Organisation.objects.update(code=Concat("code", Value(" again")))

    captured = list(Capture.objects.filter(table="place_organisation").order_by("id"))
    assert [c.operation for c in captured] == ["INSERT"] * 3 + ["UPDATE"] * 3
    assert [json.loads(c.new)["code"] for c in captured[:3]] == ["A", "B", "it's C"]
    changes = sorted((json.loads(c.old)["code"], json.loads(c.new)["code"]) for c in captured[3:])
    assert changes == [(code, f"{code} again") for code in ("A", "B", "it's C")]


def test_a_change_that_is_rolled_back_leaves_no_capture() -> None:
    with transaction.atomic():
        Organisation.objects.create(code="A")
        transaction.set_rollback(True)
    assert not Capture.objects.exists()


def test_a_user_is_captured_without_the_password() -> None:
    user = User(email="anna@place.example", name="Anna", created_at=AT)
    user.set_password("correct horse battery")
    user.save()
    User.objects.update(last_login=AT, password="changed-hash")
    user.delete()

    said = list(Capture.objects.filter(table="base_user").values_list("old", "new"))
    assert len(said) == 3
    assert "scrypt" not in str(said) and "changed-hash" not in str(said) and "password" not in str(said)
    assert json.loads(said[0][1])["email"] == "anna@place.example"


def test_members_of_captured_tables_keep_their_dates_readable() -> None:
    made_row = make(Membership)
    captured = json.loads(Capture.objects.get(table="place_membership").new)
    assert captured["from_date"] == "2026-03-03" and captured["id"] == made_row.pk


def names() -> Iterator[triggers.Trigger]:
    yield from triggers.wanted(connection.vendor)


def drop(trigger: triggers.Trigger) -> None:
    execute(f'DROP TRIGGER "{trigger.name}"' + (f' ON "{trigger.table}"' if connection.vendor == "postgresql" else ""))


def test_the_triggers_that_were_installed_are_current_and_stay_so_when_installed_again() -> None:
    assert triggers.are_current(connection)
    triggers.install(connection)
    assert triggers.are_current(connection)


def test_a_missing_trigger_is_noticed_whichever_it_is() -> None:
    for trigger in names():
        with transaction.atomic():
            drop(trigger)
            assert not triggers.are_current(connection), trigger.name
            transaction.set_rollback(True)
    assert triggers.are_current(connection)


def test_a_trigger_under_its_own_name_with_another_body_is_noticed() -> None:
    for trigger in names():
        with transaction.atomic():
            if connection.vendor == "sqlite":
                drop(trigger)
                execute(f'CREATE TRIGGER "{trigger.name}" BEFORE UPDATE ON "{trigger.table}" BEGIN SELECT 1; END')
            else:
                execute(
                    f'CREATE OR REPLACE FUNCTION "{trigger.name}"() RETURNS trigger LANGUAGE plpgsql '
                    "AS 'BEGIN RETURN OLD; END'"
                )
            assert not triggers.are_current(connection), trigger.name
            transaction.set_rollback(True)


@pytest.mark.postgres
@pytest.mark.parametrize(
    "altered",
    [
        'ALTER TABLE "{table}" DISABLE TRIGGER "{name}"',
        'ALTER TABLE "{table}" ENABLE REPLICA TRIGGER "{name}"',
        'ALTER TRIGGER "{name}" ON "{table}" RENAME TO joinery_other',
        'DROP TRIGGER "{name}" ON "{table}"; CREATE TRIGGER "{name}" BEFORE UPDATE OR DELETE ON "{table}" '
        'FOR EACH ROW WHEN (false) EXECUTE FUNCTION "{name}"()',
        'DROP TRIGGER "{name}" ON "{table}"; CREATE TRIGGER "{name}" BEFORE UPDATE ON "{table}" '
        'FOR EACH ROW EXECUTE FUNCTION "{name}"()',
        'DROP TRIGGER "{name}" ON "{table}"; CREATE TRIGGER "{name}" BEFORE DELETE OR UPDATE OF reason ON "{table}" '
        'FOR EACH ROW EXECUTE FUNCTION "{name}"()',
    ],
)
def test_a_trigger_that_was_switched_off_or_weakened_is_noticed(altered: str) -> None:
    guard = next(t for t in names() if t.table == "base_access" and "guard" in t.name)
    execute(altered.format(table=guard.table, name=guard.name))
    assert not triggers.are_current(connection)
    triggers.install(connection)
    assert triggers.are_current(connection)


def test_a_trigger_that_somebody_added_is_noticed_and_goes_when_ours_are_installed() -> None:
    if connection.vendor == "sqlite":
        execute("CREATE TRIGGER hush BEFORE INSERT ON base_capture BEGIN SELECT RAISE(IGNORE); END")
    else:
        execute("CREATE FUNCTION hush() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
        execute("CREATE TRIGGER hush BEFORE INSERT ON base_capture FOR EACH ROW EXECUTE FUNCTION hush()")
    assert not triggers.are_current(connection)
    triggers.install(connection)
    assert triggers.are_current(connection)


@pytest.mark.postgres
@pytest.mark.parametrize(
    "between",
    [
        "CREATE RULE hush AS ON INSERT TO base_access DO INSTEAD NOTHING",
        "ALTER TABLE base_access ENABLE ROW LEVEL SECURITY",
        "CREATE TABLE more () INHERITS (base_access)",
        "ALTER TABLE base_access RENAME TO kept; CREATE VIEW base_access AS SELECT * FROM kept",
        'ALTER FUNCTION "{capture}"() RESET search_path',
        'ALTER FUNCTION "{capture}"() SECURITY INVOKER',
    ],
)
def test_what_else_can_come_between_a_statement_and_a_log_is_noticed_and_goes(between: str) -> None:
    execute(between.format(capture=next(t.name for t in names() if "user_capture_" in t.name)))
    assert not triggers.are_current(connection)
    if "VIEW" not in between:
        triggers.install(connection)
        assert triggers.are_current(connection)


def test_guards_hold_again_once_installed_again() -> None:
    made(Access)
    for trigger in list(names()):
        drop(trigger)
    execute("UPDATE base_access SET reason = 'changed'")
    triggers.install(connection)
    with pytest.raises(DatabaseError, match="append-only"):
        execute("UPDATE base_access SET reason = 'changed again'")
