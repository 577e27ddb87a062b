"""One generator of database triggers, for SQLite and PostgreSQL, from what each model declares.

A model states how its table is guarded in the class attribute `guard`:

- `AppendOnly()`: no row is ever changed or deleted; `free_while` names an SQL condition on OLD under
  which a row is still a draft;
- `Captured()`: rows may change, and every change is written to `base_capture` by the database itself;
- `Derived()`: rows can be worked out again from guarded ones.

Only `joinery migrate` installs them (SQLite drops a table's triggers whenever the table is altered).
The name of a trigger ends in a digest of its text, so comparing names tells whether they are current.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

PREFIX = "joinery_"


@dataclass(frozen=True, slots=True)
class AppendOnly:
    """Refuse UPDATE, DELETE (and TRUNCATE on PostgreSQL), unless `free_while` holds for the old row."""

    free_while: str = ""


@dataclass(frozen=True, slots=True)
class Captured:
    """Write each INSERT, UPDATE and DELETE to `base_capture`, without the columns in `leave_out`."""

    leave_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Derived:
    """No trigger: the rows can be rebuilt."""


Guard = AppendOnly | Captured | Derived


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger's name, and the statements that install it."""

    name: str
    table: str
    statements: tuple[str, ...]


def guarded_models() -> list[type[models.Model]]:
    """Every model of our own apps, by table name."""
    ours = [m for m in apps.get_models() if m.__module__.startswith("joinery.")]
    return sorted(ours, key=lambda m: m._meta.db_table)


def wanted(vendor: str) -> list[Trigger]:
    """The triggers that a database of this vendor (`sqlite` or `postgresql`) must hold."""
    make = {"sqlite": _sqlite, "postgresql": _postgresql}[vendor]
    return [trigger for model in guarded_models() for trigger in make(model)]


def installed(connection: BaseDatabaseWrapper) -> set[str]:
    """The names of our triggers that the database holds."""
    if connection.vendor == "sqlite":
        sql = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'joinery!_%%' ESCAPE '!'"
    else:
        sql = (
            "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgname LIKE 'joinery!_%%' ESCAPE '!' "
            "AND tgenabled = 'O'"
        )
    with connection.cursor() as cursor:
        cursor.execute(sql, [])
        return {row[0] for row in cursor.fetchall()}


def are_current(connection: BaseDatabaseWrapper) -> bool:
    """True when the database holds exactly the triggers that the models ask for."""
    return installed(connection) == {trigger.name for trigger in wanted(connection.vendor)}


def install(connection: BaseDatabaseWrapper) -> None:
    """Drop every trigger of ours and create those that the models ask for."""
    triggers = wanted(connection.vendor)
    tables = {trigger.table for trigger in triggers} | {m._meta.db_table for m in guarded_models()}
    with connection.cursor() as cursor:
        for name in sorted(installed(connection)):
            if connection.vendor == "sqlite":
                cursor.execute(f'DROP TRIGGER "{name}"')
            else:
                for table in sorted(tables):
                    cursor.execute(f'DROP TRIGGER IF EXISTS "{name}" ON "{table}"')
        for trigger in triggers:
            for statement in trigger.statements:
                cursor.execute(statement)


def _named(table: str, what: str, text: str) -> str:
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{PREFIX}{table}_{what}_{digest}"


def _columns(model: type[models.Model], guard: Captured) -> list[str]:
    return [str(f.column) for f in model._meta.concrete_fields if f.name not in guard.leave_out]


def _refusal(table: str) -> str:
    return f"{table} is append-only: rows are never changed or deleted"


def _sqlite(model: type[models.Model]) -> Iterator[Trigger]:
    guard, table = model.guard, model._meta.db_table  # type: ignore[attr-defined]
    if isinstance(guard, AppendOnly):
        when = f" WHEN NOT ({guard.free_while})" if guard.free_while else ""
        for operation in ("UPDATE", "DELETE"):
            body = (
                f'BEFORE {operation} ON "{table}" FOR EACH ROW{when} '
                f"BEGIN SELECT RAISE(ABORT, '{_refusal(table)}'); END"
            )
            name = _named(table, operation.lower(), body)
            yield Trigger(name, table, (f'CREATE TRIGGER "{name}" {body}',))
    elif isinstance(guard, Captured):
        key = model._meta.pk.column
        for operation in ("INSERT", "UPDATE", "DELETE"):
            old = "NULL" if operation == "INSERT" else _sqlite_json("OLD", _columns(model, guard))
            new = "NULL" if operation == "DELETE" else _sqlite_json("NEW", _columns(model, guard))
            row = "OLD" if operation == "DELETE" else "NEW"
            body = (
                f'AFTER {operation} ON "{table}" FOR EACH ROW BEGIN '
                f'INSERT INTO base_capture ("table", operation, "row", old, new, at) VALUES '
                f"('{table}', '{operation}', {row}.\"{key}\", {old}, {new}, "
                f"strftime('%Y-%m-%dT%H:%M:%fZ', 'now')); END"
            )
            name = _named(table, operation.lower(), body)
            # "%" is doubled because Django hands the statement on as a format.
            yield Trigger(name, table, (f'CREATE TRIGGER "{name}" {body}',))


def _sqlite_json(row: str, columns: list[str]) -> str:
    return "json_object(" + ", ".join(f"'{c}', {row}.\"{c}\"" for c in columns) + ")"


def _postgresql(model: type[models.Model]) -> Iterator[Trigger]:
    guard, table = model.guard, model._meta.db_table  # type: ignore[attr-defined]
    if isinstance(guard, AppendOnly):
        refuse = f"RAISE EXCEPTION '{_refusal(table)}';"
        allow = "IF TG_OP = 'DELETE' THEN RETURN OLD; ELSE RETURN NEW; END IF;"
        body = f"IF {guard.free_while} THEN {allow} END IF; {refuse}" if guard.free_while else refuse
        yield _plpgsql(table, "guard", "BEFORE UPDATE OR DELETE", "ROW", body)
        yield _plpgsql(table, "truncate", "BEFORE TRUNCATE", "STATEMENT", refuse)
    elif isinstance(guard, Captured):
        key = model._meta.pk.column
        dropped = "".join(f" - '{column}'" for column in _left_out(model, guard))
        body = (
            'INSERT INTO base_capture ("table", operation, "row", old, new, at) VALUES '
            f"('{table}', TG_OP, CASE TG_OP WHEN 'DELETE' THEN OLD.\"{key}\"::text ELSE NEW.\"{key}\"::text END, "
            f"CASE TG_OP WHEN 'INSERT' THEN NULL ELSE (to_jsonb(OLD){dropped})::text END, "
            f"CASE TG_OP WHEN 'DELETE' THEN NULL ELSE (to_jsonb(NEW){dropped})::text END, "
            "to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')); RETURN NULL;"
        )
        yield _plpgsql(table, "capture", "AFTER INSERT OR UPDATE OR DELETE", "ROW", body)
        refuse = f"RAISE EXCEPTION 'TRUNCATE of {table} is refused: changes could not be captured';"
        yield _plpgsql(table, "truncate", "BEFORE TRUNCATE", "STATEMENT", refuse)


def _left_out(model: type[models.Model], guard: Captured) -> list[str]:
    return [str(f.column) for f in model._meta.concrete_fields if f.name in guard.leave_out]


def _plpgsql(table: str, what: str, event: str, each: str, body: str) -> Trigger:
    name = _named(table, what, event + body)
    function = (
        f'CREATE OR REPLACE FUNCTION "{name}"() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN {body} END $body$'
    )
    trigger = f'CREATE TRIGGER "{name}" {event} ON "{table}" FOR EACH {each} EXECUTE FUNCTION "{name}"()'
    return Trigger(name, table, (function, trigger))
