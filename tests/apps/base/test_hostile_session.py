"""PostgreSQL in the hands of whoever got the password of the role that serves, and of the tables' owner.

The first is refused whatever would change or hide a row of the logs, of the record or of what guards them. What
they may do, which is to add rows as the software itself does, is here too, so that nobody thinks otherwise. The
second can do all of it, and `joinery audit verify` says so.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support import Deployment, copied_deployment, database_url, on_server

pytestmark = pytest.mark.postgres

LOOK = "(event, at, actor, role, organisation, purpose, what, allowed, reason)"
VALUES = "'forged', now(), 'user:1', 'gp', 'X', 'direct_care', 'opened', true, 'involved'"


@dataclass
class Place:
    """A deployment whose tables one role owns and from which another serves."""

    deployment: Deployment
    role: str
    owner_url: str

    @contextmanager
    def session(self, owner: bool = False) -> Iterator[Any]:
        """A session of the role that serves, or of the owner, in autocommit."""
        import psycopg

        url = self.owner_url if owner else self.deployment.env["JOINERY_DATABASE"]
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection


@pytest.fixture(scope="module")
def place(migrated: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    role, password = f"serving_{secrets.token_hex(4)}", secrets.token_hex(8)
    owner = f"owning_{secrets.token_hex(4)}"
    on_server(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
    on_server(f"CREATE ROLE {owner} LOGIN PASSWORD '{password}'")
    try:
        with copied_deployment(migrated, tmp_path_factory.mktemp("hostile") / "data") as deployment:
            on_server(f'ALTER DATABASE "{deployment.database}" OWNER TO {owner}')
            for statement in _hand_over(deployment, owner):
                deployment.sql(statement)
            there = urlsplit(database_url(deployment.database)).netloc.rpartition("@")[2]
            owner_url = f"postgresql://{owner}:{password}@{there}/{deployment.database}"
            deployment.env["JOINERY_DATABASE"] = f"postgresql://{role}:{password}@{there}/{deployment.database}"
            deployment.env["JOINERY_DATABASE_OWNER"] = owner_url
            done = deployment.run("migrate")
            assert done.returncode == 0, done.stderr
            del deployment.env["JOINERY_DATABASE_OWNER"]
            _live(deployment)
            yield Place(deployment, role, owner_url)
    finally:
        for each in (role, owner):
            on_server(f"DROP ROLE {each}")


def _hand_over(deployment: Deployment, owner: str) -> list[str]:
    """The statements that give everything in the schema to a role that is no superuser."""
    made = deployment.sql(
        "SELECT format('ALTER TABLE %I OWNER TO {0}', relname) FROM pg_class WHERE relkind = 'r' "
        "AND relnamespace = 'public'::regnamespace UNION ALL "
        "SELECT format('ALTER FUNCTION %s OWNER TO {0}', oid::regprocedure) FROM pg_proc "
        "WHERE pronamespace = 'public'::regnamespace".replace("{0}", owner)
    )
    return [row[0] for row in made]


def _live(deployment: Deployment) -> None:
    """A place that was started: rows in every log, sealed, by the role that serves alone."""
    started = deployment.run("place", "start", "X1", "--name", "Exton")
    assert started.returncode == 0, started.stderr
    deployment.sql(f"INSERT INTO base_access {LOOK} VALUES ({VALUES})")
    kept = deployment.run("backup", deployment.data.parent / "kept.joinery")
    assert kept.returncode == 0, kept.stderr


REFUSED = (
    # The logs: no row is changed, taken away, hidden or put where it does not belong.
    "UPDATE base_access SET reason = 'other'",
    "DELETE FROM base_access",
    "TRUNCATE base_access",
    "TRUNCATE base_actionentry, base_capture CASCADE",
    "WITH gone AS (DELETE FROM base_actionentry RETURNING *) SELECT * FROM gone",
    "MERGE INTO base_access a USING base_access b ON a.id = b.id WHEN MATCHED THEN DELETE",
    "MERGE INTO base_access a USING base_access b ON a.id = b.id WHEN MATCHED THEN UPDATE SET reason = 'other'",
    "UPDATE base_sealedblock SET head = 'x'",
    "DELETE FROM base_sealedblock",
    f"INSERT INTO base_access (id, {LOOK[1:]} VALUES (-5, {VALUES})",
    f"INSERT INTO base_access (id, {LOOK[1:]} OVERRIDING SYSTEM VALUE VALUES (9223372036854775807, {VALUES})",
    f"INSERT INTO base_access (id, {LOOK[1:]} VALUES (1, {VALUES}) ON CONFLICT (id) DO UPDATE SET reason = 'other'",
    f"INSERT INTO base_access {LOOK} VALUES ({VALUES}) ON CONFLICT (id) DO UPDATE SET reason = 'other'",
    "COPY base_access FROM STDIN",
    "SELECT setval('base_access_id_seq', 1)",
    "SELECT setval('base_access_id_seq', 9223372036854775806)",
    "SELECT nextval('base_capture_id_seq')",
    "ALTER SEQUENCE base_access_id_seq RESTART",
    "LOCK base_access IN ACCESS EXCLUSIVE MODE",
    # Captures are written by triggers alone.
    "INSERT INTO base_capture (\"table\", operation, \"row\", at) VALUES ('base_user', 'UPDATE', '1', '2020')",
    "COPY base_capture (\"table\", operation, \"row\", at) FROM STDIN",
    "DELETE FROM base_capture",
    "CREATE TEMP TABLE base_capture (LIKE base_capture)",
    "CREATE TABLE pg_temp.base_capture (id int)",
    "SELECT * INTO TEMP base_capture FROM base_capture",
    # What counts stays: not even by way of what it hangs on.
    "DELETE FROM record_sourcerecord",
    "UPDATE place_accessreview SET verdict = 'keep'",
    "UPDATE place_edition SET sequence = NULL",
    "DELETE FROM place_statement",
    "WITH u AS (UPDATE place_edition SET sequence = NULL RETURNING id) DELETE FROM place_statement",
    "TRUNCATE place_statement CASCADE",
    "TRUNCATE place_membership",
    # The guards themselves.
    "ALTER TABLE base_access DISABLE TRIGGER ALL",
    "ALTER TABLE base_access DISABLE TRIGGER USER",
    "ALTER TABLE base_access ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE base_access OWNER TO CURRENT_USER",
    "ALTER TABLE base_access ADD CHECK (reason <> 'involved')",
    "ALTER TABLE base_access RENAME TO base_access_old",
    "DROP TABLE base_access CASCADE",
    'DROP TRIGGER "{guard}" ON base_access',
    'DROP FUNCTION "{guard}"() CASCADE',
    """CREATE OR REPLACE FUNCTION "{guard}"() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'""",
    'ALTER FUNCTION "{capture}"() SECURITY INVOKER',
    "CREATE RULE hush AS ON INSERT TO base_access DO INSTEAD NOTHING",
    "CREATE TRIGGER hush BEFORE INSERT ON base_access FOR EACH ROW EXECUTE FUNCTION \"{capture}\"()",
    'CREATE VIEW mine AS SELECT * FROM base_access',
    "CREATE TABLE more () INHERITS (base_access)",
    "CREATE SCHEMA evil",
    "CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz'",
    "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE EXTENSION dblink",
    "SET session_replication_role = replica",
    "SET ROLE {owner}",
    "SET SESSION AUTHORIZATION {owner}",
    "GRANT {owner} TO CURRENT_USER",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT ALL ON TABLES TO CURRENT_USER",
    "COMMENT ON TABLE base_access IS 'mine'",
    "UPDATE pg_trigger SET tgenabled = 'D'",
    "DELETE FROM django_migrations",
    # The machine below.
    "COPY base_access TO PROGRAM 'cat'",
    "COPY base_access TO '/tmp/looks'",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT lo_import('/etc/passwd')",
)  # fmt: skip
# PostgreSQL says no more than a warning.
WITHOUT_EFFECT = (
    "GRANT DELETE ON base_access TO CURRENT_USER",
    "GRANT ALL ON ALL TABLES IN SCHEMA public TO CURRENT_USER",
    "ANALYZE base_access",
)
# On which names are looked up.
PATHS = ("public", "pg_temp, public", "public, pg_catalog", "''")


def logs(place: Place) -> list[Any]:
    with place.session(owner=True) as session:
        tables = ("base_access", "base_actionentry", "base_sealedblock", "place_statement", "place_edition")
        kept = [session.execute(f"SELECT * FROM {table} ORDER BY id").fetchall() for table in tables]
        rights = session.execute("SELECT relname, relacl::text FROM pg_class ORDER BY 1").fetchall()
        return [*kept, rights, session.execute("SELECT tgname, tgenabled FROM pg_trigger ORDER BY 1").fetchall()]


def named(place: Place, statement: str) -> str:
    from joinery.apps.base import triggers

    wanted = {t.name for t in triggers.wanted("postgresql") if t.table in ("base_access", "place_membership")}
    return statement.format(
        guard=next(n for n in wanted if "base_access_guard" in n),
        capture=next(n for n in wanted if "_capture_" in n),
        owner=urlsplit(place.owner_url).username,
    )


def test_who_has_the_password_of_the_role_that_serves_changes_and_hides_nothing(place: Place) -> None:
    import psycopg

    before, got = logs(place), []
    assert all(before)
    with place.session() as session:
        for statement in WITHOUT_EFFECT:
            session.execute(statement)
        for statement in REFUSED:
            try:
                session.execute(named(place, statement).encode())
                got.append(statement)
            except psycopg.errors.SyntaxError:
                raise
            except psycopg.Error:
                continue
    assert got == []
    assert logs(place) == before


def test_no_path_on_which_names_are_looked_up_leads_a_capture_elsewhere(place: Place) -> None:
    with place.session(owner=True) as owner:
        captured = "SELECT count(*) FROM base_capture"
        (before,) = owner.execute(captured).fetchone()
        with place.session() as session:
            for path in PATHS:
                session.execute(f"SET search_path = {path}")
                session.execute(f"INSERT INTO public.place_organisation (code) VALUES ('P{PATHS.index(path)}')")
                session.execute("SET CONSTRAINTS ALL DEFERRED")
        assert owner.execute(captured).fetchone() == (before + len(PATHS),)
        # Even with the right to temporary tables, which `migrate` takes from everybody.
        owner.execute(f'GRANT TEMPORARY ON DATABASE "{place.deployment.database}" TO {place.role}')
        try:
            with place.session() as session:
                session.execute("CREATE TEMP TABLE base_capture (LIKE public.base_capture)")
                session.execute("CREATE TEMP TABLE place_edition (id bigint, sequence int)")
                session.execute("INSERT INTO pg_temp.place_edition SELECT id FROM public.place_edition")
                session.execute("INSERT INTO public.place_organisation (code) VALUES ('Q')")
                assert session.execute("SELECT count(*) FROM pg_temp.base_capture").fetchone() == (0,)
                assert not deleted(session, "public.place_statement")
            verified = place.deployment.json("audit", "verify")
            assert any("may make temporary tables" in problem for problem in verified["problems"])
        finally:
            owner.execute(f'REVOKE TEMPORARY ON DATABASE "{place.deployment.database}" FROM {place.role}')
        assert owner.execute(captured).fetchone() == (before + len(PATHS) + 1,)


def deleted(session: Any, table: str) -> bool:
    import psycopg

    try:
        session.execute(f"DELETE FROM {table}")
    except psycopg.Error:
        return False
    return True


def test_a_look_that_never_was_can_be_added_dated_back_and_only_at_the_end(place: Place) -> None:
    """The software adds looks in the very same way: SECURITY.md says what tells them apart."""
    with place.session() as session:
        session.execute(f"INSERT INTO base_access {LOOK} VALUES ({VALUES.replace('now()', repr('2020-01-01'))})")
        (last,) = session.execute("SELECT max(id) FROM base_access").fetchone()
        assert session.execute("SELECT event FROM base_access WHERE id = %s", [last]).fetchone() == ("forged",)


def test_a_forged_block_is_named_and_stops_no_page(place: Place) -> None:
    with place.session() as session:
        session.execute(
            'INSERT INTO base_sealedblock (at, "table", first_id, last_id, missing, late, digests, head) '
            "VALUES (now(), 'base_access', 1, 9000000000, '7', '[]', '', 'x')"
        )
    verified = place.deployment.json("audit", "verify")
    assert any("was changed, or a block before it is missing" in problem for problem in verified["problems"])
    with place.session(owner=True) as owner:
        owner.execute("ALTER TABLE base_sealedblock DISABLE TRIGGER USER")
        owner.execute("DELETE FROM base_sealedblock WHERE head = 'x'")
        owner.execute("ALTER TABLE base_sealedblock ENABLE TRIGGER USER")
    assert place.deployment.json("audit", "verify")["problems"] == []


# What the owner can do so that later looks go unwritten or the role that serves may do more.
BY_THE_OWNER = (
    ("GRANT DELETE ON base_access TO {role}", "DELETE on base_access", "REVOKE DELETE ON base_access FROM {role}"),
    ("GRANT UPDATE (reason) ON base_access TO PUBLIC", "UPDATE on base_access",
     "REVOKE UPDATE ON base_access FROM PUBLIC"),
    ("GRANT INSERT ON base_access TO {role}", "choose the id",
     "REVOKE INSERT (id) ON base_access FROM {role}; REVOKE INSERT ON base_access FROM {role}"),
    ("GRANT INSERT ON base_capture TO {role}", "INSERT on base_capture", "REVOKE INSERT ON base_capture FROM {role}"),
    ("GRANT TRUNCATE ON record_person TO {role}", "TRUNCATE on record_person",
     "REVOKE TRUNCATE ON record_person FROM {role}"),
    ("GRANT CREATE ON SCHEMA public TO {role}", "create in the schema", "REVOKE CREATE ON SCHEMA public FROM {role}"),
    ("CREATE RULE hush AS ON INSERT TO base_access DO INSTEAD NOTHING", "triggers", "DROP RULE hush ON base_access"),
    ("ALTER TABLE base_access ENABLE ROW LEVEL SECURITY", "triggers",
     "ALTER TABLE base_access DISABLE ROW LEVEL SECURITY"),
    ('ALTER FUNCTION "{capture}"() RESET search_path', "triggers",
     'ALTER FUNCTION "{capture}"() SET search_path = public, pg_temp'),
    ('ALTER TABLE base_access DISABLE TRIGGER "{guard}"', "triggers",
     'ALTER TABLE base_access ENABLE TRIGGER "{guard}"'),
)  # fmt: skip


def test_the_owner_who_opens_a_door_is_found_out(place: Place, django_db_blocker: Any) -> None:
    for done, said, undone in BY_THE_OWNER:
        with place.session(owner=True) as owner:
            owner.execute(named(place, done.replace("{role}", place.role)))
            with django_db_blocker.unblock():
                problems = found(place)
            assert any(said in problem for problem in problems), (done, problems)
            for statement in undone.split("; "):
                owner.execute(named(place, statement.replace("{role}", place.role)))
    owner_role = urlsplit(place.owner_url).username
    on_server(f"GRANT {owner_role} TO {place.role}")
    with django_db_blocker.unblock():
        assert any("act as the owner of base_access" in problem for problem in found(place))
    on_server(f"REVOKE {owner_role} FROM {place.role}")
    with place.session(owner=True) as owner:
        owner.execute(named(place, 'DROP TRIGGER "{guard}" ON base_access'))
    done = place.deployment.run("migrate")
    assert done.returncode == 1 and "JOINERY_DATABASE_OWNER=postgresql://" in done.stderr
    place.deployment.env["JOINERY_DATABASE_OWNER"] = place.owner_url
    assert place.deployment.run("migrate").returncode == 0
    del place.deployment.env["JOINERY_DATABASE_OWNER"]
    assert place.deployment.json("audit", "verify")["problems"] == []


def found(place: Place) -> list[str]:
    """What `joinery audit verify` says of rights and guards, asked in this process."""
    from django.db import connections

    from joinery.apps.base import rights, triggers

    url = urlsplit(place.deployment.env["JOINERY_DATABASE"])
    other = connections["default"].copy("hostile")
    other.settings_dict = other.settings_dict | {
        "USER": url.username, "PASSWORD": url.password, "NAME": place.deployment.database
    }  # fmt: skip
    try:
        current = triggers.are_current(other)
        return rights.beyond(other) + ([] if current else ["the triggers that guard the tables are missing"])
    finally:
        other.close()


def test_the_role_that_serves_has_tables_counted(place: Place) -> None:
    with place.session() as session:
        assert session.execute("SELECT joinery_analyze('place_statement')").fetchone() is not None


def test_the_owner_who_changes_what_was_sealed_is_found_out(place: Place) -> None:
    """The last test here: the deployment is spoilt by it. What else an owner can do to the logs is in test_seal.py."""
    with place.session(owner=True) as owner:
        owner.execute("ALTER TABLE base_access DISABLE TRIGGER USER")
        owner.execute("UPDATE base_access SET reason = 'other' WHERE id = (SELECT min(id) FROM base_access)")
        owner.execute("ALTER TABLE base_access ENABLE TRIGGER USER")
        owner.execute(f"INSERT INTO base_access (id, {LOOK[1:]} OVERRIDING SYSTEM VALUE VALUES (-5, {VALUES})")
    problems = place.deployment.json("audit", "verify")["problems"]
    assert [problem for problem in problems if "was changed" in problem] and len(problems) == 2
    assert "base_access row -5 was added among sealed rows" in problems
