"""One generator of database triggers, for SQLite and PostgreSQL, from what each model declares.

A model states how its table is guarded in the class attribute `guard`:

- `AppendOnly()`: no row is ever changed or deleted; `free_while` names an SQL condition on OLD under
  which a row is still a draft;
- `Captured()`: rows may change, and every change is written to `base_capture` by the database itself;
  with `free_while`, only while that holds: what drafts hang on must not become a draft again;
- `Derived()`: rows can be worked out again from guarded ones.

Only `joinery migrate` installs them (SQLite drops a table's triggers whenever the table is altered).
They are current when the triggers of our tables, read back from the database, are these and no others,
to the letter: one that was altered under its own name, switched off or added by somebody else is seen. So
is what else can come between a statement and a table of PostgreSQL: a rule, row security, a table below it.

SQLite lets INSERT OR REPLACE delete the row in its way without a word, unless the connection asks that it fire the
triggers on DELETE (`recursive_triggers`, which ours do): a trigger on INSERT would cost a third of an intake.

On PostgreSQL a trigger finds our tables and nobody's of the same name (its `search_path` is pinned, last in
it the temporary tables), and captures with the rights of the tables' owner: who writes needs no right to
write to `base_capture`, and may not call the functions in any other way (see `rights.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

PREFIX = "joinery_"
# The bits of pg_trigger.tgtype. Source: PostgreSQL, src/include/catalog/pg_trigger.h.
_FIRES = {"ROW": 1, "BEFORE": 2, "INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}


@dataclass(frozen=True, slots=True)
class AppendOnly:
    """Refuse UPDATE, DELETE (and TRUNCATE on PostgreSQL), unless `free_while` holds for the old row."""

    free_while: str = ""


@dataclass(frozen=True, slots=True)
class Captured:
    """Write each INSERT, UPDATE and DELETE to `base_capture`, without the columns in `leave_out`.

    `free_while` names an SQL condition on OLD without which a row is neither changed nor deleted.
    """

    leave_out: tuple[str, ...] = ()
    free_while: str = ""


@dataclass(frozen=True, slots=True)
class Derived:
    """No trigger: the rows can be rebuilt."""


Guard = AppendOnly | Captured | Derived


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger, the statements that install it, and how its database then describes it."""

    name: str
    table: str
    statements: tuple[str, ...]
    described: str


def guarded_models() -> list[type[models.Model]]:
    """Every model of our own apps, by table name."""
    ours = [m for m in apps.get_models() if m.__module__.startswith("joinery.")]
    return sorted(ours, key=lambda m: m._meta.db_table)


def wanted(vendor: str) -> list[Trigger]:
    """The triggers that a database of this vendor (`sqlite` or `postgresql`) must hold."""
    make = {"sqlite": _sqlite, "postgresql": _postgresql}[vendor]
    return [trigger for model in guarded_models() for trigger in make(model)]


def installed(connection: BaseDatabaseWrapper) -> set[tuple[str, str, str]]:
    """The name, table and description of every trigger on our tables that the database holds; of every rule too."""
    if connection.vendor == "sqlite":
        sql = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
    else:
        # A trigger of ours carries its name's function, fires always and on any column, and has no WHEN.
        sql = (
            "SELECT tgname, relname, concat_ws(' ', tgtype, tgenabled, "
            "CASE WHEN tgqual IS NULL AND tgattr = '' AND tgnargs = 0 AND proname = tgname THEN 'plain' END, "
            "CASE WHEN proconfig = ARRAY['search_path=' || quote_ident(current_schema()) || ', pg_temp'] "
            "THEN 'pinned' END, CASE WHEN prosecdef THEN 'definer' END, lanname, prosrc) "
            "FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid JOIN pg_proc p ON p.oid = tgfoid "
            "JOIN pg_language l ON l.oid = prolang "
            "WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace "
            "UNION ALL SELECT rulename, tablename, 'RULE' FROM pg_rules WHERE schemaname = current_schema() "
            "UNION ALL SELECT '', relname, 'ROW SECURITY' FROM pg_class "
            "WHERE relrowsecurity AND relnamespace = current_schema()::regnamespace "
            "UNION ALL SELECT inhrelid::regclass::text, relname, 'HEIR' FROM pg_inherits JOIN pg_class c "
            "ON c.oid = inhparent WHERE relnamespace = current_schema()::regnamespace"
        )
    ours = {model._meta.db_table for model in guarded_models()}
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return {(name, table, described) for name, table, described in cursor.fetchall() if table in ours}


def are_current(connection: BaseDatabaseWrapper) -> bool:
    """True when our tables have exactly the triggers that the models ask for."""
    return installed(connection) == {(t.name, t.table, t.described) for t in wanted(connection.vendor)}


def remove(connection: BaseDatabaseWrapper) -> None:
    """Drop every trigger of our tables: SQLite cannot alter a table that a trigger of another one reads."""
    with connection.cursor() as cursor:
        for name, table, described in sorted(installed(connection)):
            if described == "ROW SECURITY":
                cursor.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')
            elif described == "HEIR":
                cursor.execute(f'ALTER TABLE {name} NO INHERIT "{table}"')
            else:
                kind = "RULE" if described == "RULE" else "TRIGGER"
                on = f' ON "{table}"' if connection.vendor == "postgresql" else ""
                cursor.execute(f'DROP {kind} "{name}"{on}')


def install(connection: BaseDatabaseWrapper) -> None:
    """Drop every trigger of our tables and create those that the models ask for."""
    remove(connection)
    with connection.cursor() as cursor:
        for trigger in wanted(connection.vendor):
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
    if isinstance(guard, AppendOnly) or (isinstance(guard, Captured) and guard.free_while):
        refuse = f"BEGIN SELECT RAISE(ABORT, '{_refusal(table)}'); END"
        when = f" WHEN NOT ({guard.free_while})" if guard.free_while else ""
        for operation in ("UPDATE", "DELETE"):
            yield _sqlite_trigger(table, operation, f'BEFORE {operation} ON "{table}" FOR EACH ROW{when} {refuse}')
    if isinstance(guard, Captured):
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
            yield _sqlite_trigger(table, operation, body)


def _sqlite_trigger(table: str, operation: str, body: str) -> Trigger:
    name = _named(table, operation.lower(), body)
    statement = f'CREATE TRIGGER "{name}" {body}'
    return Trigger(name, table, (statement,), statement)


def _sqlite_json(row: str, columns: list[str]) -> str:
    return "json_object(" + ", ".join(f"'{c}', {row}.\"{c}\"" for c in columns) + ")"


def _postgresql(model: type[models.Model]) -> Iterator[Trigger]:
    guard, table = model.guard, model._meta.db_table  # type: ignore[attr-defined]
    if isinstance(guard, AppendOnly) or (isinstance(guard, Captured) and guard.free_while):
        refuse = f"RAISE EXCEPTION '{_refusal(table)}';"
        allow = "IF TG_OP = 'DELETE' THEN RETURN OLD; ELSE RETURN NEW; END IF;"
        body = f"IF {guard.free_while} THEN {allow} END IF; {refuse}" if guard.free_while else refuse
        yield _plpgsql(table, "guard", "BEFORE UPDATE OR DELETE", "ROW", body)
    if isinstance(guard, AppendOnly):
        yield _plpgsql(table, "truncate", "BEFORE TRUNCATE", "STATEMENT", refuse)
    elif isinstance(guard, Captured):
        # Every function by its full name: of the tables' owner's own, one for this very row type would be preferred.
        key = model._meta.pk.column
        dropped = "".join(f" OPERATOR(pg_catalog.-) '{column}'::text" for column in _left_out(model, guard))
        body = (
            'INSERT INTO base_capture ("table", operation, "row", old, new, at) VALUES '
            f"('{table}', TG_OP, CASE TG_OP WHEN 'DELETE' THEN OLD.\"{key}\"::text ELSE NEW.\"{key}\"::text END, "
            f"CASE TG_OP WHEN 'INSERT' THEN NULL ELSE (pg_catalog.to_jsonb(OLD){dropped})::text END, "
            f"CASE TG_OP WHEN 'DELETE' THEN NULL ELSE (pg_catalog.to_jsonb(NEW){dropped})::text END, "
            "pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', "
            '\'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"\')); RETURN NULL;'
        )
        yield _plpgsql(table, "capture", "AFTER INSERT OR UPDATE OR DELETE", "ROW", body)
        refuse = f"RAISE EXCEPTION 'TRUNCATE of {table} is refused: changes could not be captured';"
        yield _plpgsql(table, "truncate", "BEFORE TRUNCATE", "STATEMENT", refuse)


def _left_out(model: type[models.Model], guard: Captured) -> list[str]:
    return [str(f.column) for f in model._meta.concrete_fields if f.name in guard.leave_out]


def _plpgsql(table: str, what: str, event: str, each: str, body: str) -> Trigger:
    name = _named(table, what, event + body)
    source = f" BEGIN {body} END "
    definer = "SECURITY DEFINER" if what == "capture" else "SECURITY INVOKER"
    statements = (
        f'CREATE OR REPLACE FUNCTION "{name}"() RETURNS trigger LANGUAGE plpgsql {definer} AS $body${source}$body$',
        f"""DO $body$ BEGIN EXECUTE 'ALTER FUNCTION "{name}"() SET search_path = ' """
        "|| quote_ident(current_schema()) || ', pg_temp'; END $body$",
        f'REVOKE ALL ON FUNCTION "{name}"() FROM PUBLIC',  # or a trigger on a table of one's own could call it
        f'CREATE TRIGGER "{name}" {event} ON "{table}" FOR EACH {each} EXECUTE FUNCTION "{name}"()',
    )
    fires = sum(_FIRES.get(word, 0) for word in f"{each} {event}".split())
    described = f"{fires} O plain pinned {'definer ' if what == 'capture' else ''}plpgsql {source}"
    return Trigger(name, table, statements, described)
