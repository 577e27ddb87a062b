"""What the role that serves may do on PostgreSQL, where another role owns the tables: what the guards allow.

The owner can take the guards off, so whoever serves pages had better not be the owner. To the role that does,
`grant` gives what a model's guard leaves open: to read; to add rows; to change and delete them only where the
guard lets some row be changed. It may not add rows to `base_capture`, which the triggers write, nor choose the
number of a row of the other logs: put far beyond the rest, it would have every later row pass for a late one.
What is left, such as a look that never was, is in SECURITY.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from joinery.apps.base.models import Access, ActionEntry, Capture, SealedBlock
from joinery.apps.base.triggers import AppendOnly, guarded_models

READ, ADD, CHANGE = frozenset({"SELECT"}), frozenset({"INSERT"}), frozenset({"UPDATE", "DELETE"})
_ALL = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
# The database numbers their rows, and nobody else.
NUMBERED: tuple[type[models.Model], ...] = (Access, ActionEntry, SealedBlock)
# Filled when the database is migrated, and only read afterwards.
_FIXED = ("auth", "contenttypes")


def wanted() -> dict[str, frozenset[str]]:
    """What the role that serves may do with each table; any other table of the schema it may read."""
    ours = set(guarded_models())
    theirs = [m for m in apps.get_models(include_auto_created=True) if m not in ours and m._meta.managed]
    rights = {m._meta.db_table: READ if m._meta.app_label in _FIXED else READ | ADD | CHANGE for m in theirs}
    return rights | {m._meta.db_table: _left_open(m) for m in ours}


def _left_open(model: type[models.Model]) -> frozenset[str]:
    guard = model.guard  # type: ignore[attr-defined]
    if model is Capture:
        return READ
    if isinstance(guard, AppendOnly) and not guard.free_while:
        return READ | ADD
    return READ | ADD | CHANGE


def current_role(connection: BaseDatabaseWrapper) -> str:
    """The role as which this connection works."""
    return str(_rows(connection, "SELECT current_user")[0][0])


def may_create(connection: BaseDatabaseWrapper) -> bool:
    """True when the role of this connection may make tables in the schema."""
    return bool(_rows(connection, "SELECT has_schema_privilege(current_schema(), 'CREATE')")[0][0])


def owns(connection: BaseDatabaseWrapper, table: str) -> bool:
    """True when the role of this connection owns the table, by itself or through another role."""
    sql = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = %s::regclass"
    return bool(_rows(connection, sql, [table])[0][0])


def grant(connection: BaseDatabaseWrapper, role: str) -> None:
    """As the tables' owner, give a role what `wanted` says, and take from it and from everybody what it does not."""
    with connection.cursor() as cursor:
        for statement in _statements(connection, connection.ops.quote_name(role)):
            cursor.execute(statement)


def _statements(connection: BaseDatabaseWrapper, role: str) -> Iterator[str]:
    ((schema, database),) = _rows(connection, "SELECT quote_ident(current_schema()), quote_ident(current_database())")
    # A table or function of one's own could stand before ours.
    yield f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {role}"
    yield f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC, {role}"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC, {role}"
    yield f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM PUBLIC, {role}"
    yield f"GRANT USAGE ON SCHEMA {schema} TO {role}"
    # Also of a sequence, which a backup reads.
    yield f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}"
    yield f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}"
    numbered = {model._meta.db_table: _columns(model) for model in NUMBERED}
    for table, rights in sorted(wanted().items()):
        if more := rights - READ:
            columns = numbered.get(table, "")
            yield f'GRANT {", ".join(sorted(more))} {columns} ON "{table}" TO {role}'
    for table, sequence in _sequences(connection):
        if table not in numbered and wanted().get(table, READ) >= ADD:
            yield f"GRANT USAGE, UPDATE ON SEQUENCE {sequence} TO {role}"
    # Who does not own a table cannot have it counted, and plans hang on that.
    yield (
        "CREATE OR REPLACE FUNCTION joinery_analyze(counted regclass) RETURNS void LANGUAGE plpgsql SECURITY DEFINER "
        f"SET search_path = {schema}, pg_temp AS $$ BEGIN EXECUTE 'ANALYZE ' || counted; END $$"
    )
    yield "REVOKE ALL ON FUNCTION joinery_analyze(regclass) FROM PUBLIC"
    yield f"GRANT EXECUTE ON FUNCTION joinery_analyze(regclass) TO {role}"


def _columns(model: type[models.Model]) -> str:
    return "(" + ", ".join(f'"{f.column}"' for f in model._meta.concrete_fields if not f.primary_key) + ")"


def _sequences(connection: BaseDatabaseWrapper) -> list[tuple[str, str]]:
    """Each table with the sequence that numbers its rows."""
    sql = (
        "SELECT t.relname, s.oid::regclass::text FROM pg_depend d JOIN pg_class s ON s.oid = d.objid "
        "JOIN pg_class t ON t.oid = d.refobjid WHERE s.relkind = 'S' AND d.deptype IN ('a', 'i') "
        "AND d.classid = 'pg_class'::regclass AND t.relnamespace = current_schema()::regnamespace"
    )
    return [(str(table), str(sequence)) for table, sequence in _rows(connection, sql)]


def analyze(connection: BaseDatabaseWrapper, table: str) -> None:
    """Have PostgreSQL count the rows of a table anew, whoever owns it."""
    with connection.cursor() as cursor:
        if owns(connection, table):
            cursor.execute(f'ANALYZE "{table}"')
        else:
            cursor.execute("SELECT joinery_analyze(%s::regclass)", [table])


def beyond(connection: BaseDatabaseWrapper) -> list[str]:
    """What the role of this connection may do beyond what `grant` gives, in words.

    Nothing where one role serves and owns, from which no right can be kept.
    """
    role, rights = current_role(connection), wanted()
    granted_by = (
        "SELECT pg_get_userbyid(proowner) FROM pg_proc WHERE oid = to_regprocedure('joinery_analyze(regclass)')"
    )
    if _rows(connection, granted_by) in ([], [(role,)]):
        return []
    held = _rows(
        connection,
        "SELECT relname, p FROM pg_class, unnest(%s::text[]) p WHERE relkind IN ('r', 'p', 'v', 'm', 'f') "
        "AND relnamespace = current_schema()::regnamespace AND (has_table_privilege(oid, p) "
        "OR (p NOT IN ('DELETE', 'TRUNCATE', 'TRIGGER') AND has_any_column_privilege(oid, p)))",
        [list(_ALL)],
    )
    found = [f"{right} on {table}" for table, right in sorted(held) if right not in rights.get(table, READ)]
    for model in NUMBERED:
        table = model._meta.db_table
        if _rows(connection, "SELECT has_column_privilege(%s, 'id', 'INSERT')", [table])[0][0]:
            found.append(f"choose the id of a row of {table}")
    found += [f"act as the owner of {table}" for table in sorted(rights) if owns(connection, table)]
    found += [right for right, held_too in _of_the_whole(connection) if held_too]
    return [f"the role {role}, which serves, may {what}: run joinery migrate" for what in found]


def _of_the_whole(connection: BaseDatabaseWrapper) -> list[tuple[str, bool]]:
    names = ("create in the schema", "make temporary tables", "be a superuser", "make roles", "pass by row security")
    sql = (
        "SELECT has_schema_privilege(current_schema(), 'CREATE'), "
        "has_database_privilege(current_database(), 'TEMPORARY'), rolsuper, rolcreaterole, rolbypassrls "
        "FROM pg_roles WHERE rolname = current_user"
    )
    return list(zip(names, _rows(connection, sql)[0], strict=True))


def _rows(connection: BaseDatabaseWrapper, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(values))
        return list(cursor.fetchall())
