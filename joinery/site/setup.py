"""Getting a deployment ready, and refusing to serve one that is not."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from joinery.site.commands import Problem

if TYPE_CHECKING:
    from joinery.apps.base.action import Actor

DEFINITIONS = files("joinery.definitions") / "organisations"
DEMONSTRATION = DEFINITIONS / "wexcombe.toml"


class NotReady(Exception):
    """The deployment cannot serve; the message says what to do."""


def load(data: Path | None = None) -> None:
    """Load Django for the deployment in `data` (default: as the environment says).

    Raises Problem when a variable of the environment is wrong.
    """
    import django

    if data is not None:
        os.environ["JOINERY_DATA"] = str(data)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "joinery.site.settings")
    try:
        django.setup()
    except ImproperlyConfigured as wrong:
        raise Problem(str(wrong)) from None


def migrate() -> None:
    """Bring the database to this version and install its triggers, in that order; then say who may do what.

    Killed in between it leaves a database without triggers, which nothing starts with until this is run again.
    Raises Problem when the role of JOINERY_DATABASE may not do this and no owner is named.
    """
    from joinery.apps.base import rights, triggers

    if _owns_nothing():
        _refuse_without_owner()
    else:
        with _owning() as serving:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                with transaction.atomic():
                    triggers.remove(connection)
            call_command("migrate", verbosity=0, interactive=False)
            with transaction.atomic():
                triggers.install(connection)
                if serving:
                    rights.grant(connection, serving)
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    call_command("collectstatic", verbosity=0, interactive=False)


def _owns_nothing() -> bool:
    from joinery.apps.base import rights

    return connection.vendor == "postgresql" and not settings.DATABASE_OWNER and not rights.may_create(connection)


def _refuse_without_owner() -> None:
    from joinery.apps.base import rights

    try:
        refuse_unready()
    except NotReady:
        raise Problem(
            f"The role {rights.current_role(connection)} may not change tables. Name their owner, for this command "
            "alone: JOINERY_DATABASE_OWNER=postgresql://… joinery migrate"
        ) from None


@contextmanager
def _owning() -> Iterator[str]:
    """Work as the owner of the tables; gives the role that serves, empty when that is the owner itself."""
    from joinery.apps.base import rights

    if connection.vendor != "postgresql" or not settings.DATABASE_OWNER:
        yield ""
        return
    serving, mine = rights.current_role(connection), connection.settings_dict
    connection.close()
    connection.settings_dict = mine | settings.DATABASE_OWNER
    try:
        yield serving if rights.current_role(connection) != serving else ""
    finally:
        connection.close()
        connection.settings_dict = mine


def take_definitions(*, demo: bool, actor: Actor, at: datetime) -> list[str]:
    """Take the bodies that ship with this version, of England or of the demonstration too.

    Files that were taken before and are the same now are left alone. Returns the names of those taken.
    """
    from joinery.apps.place import actions, facts

    known = facts.last_digests()
    taken = []
    for shipped in sorted(DEFINITIONS.iterdir(), key=lambda each: each.name):
        if not shipped.name.endswith(".toml") or (shipped.name == DEMONSTRATION.name and not demo):
            continue
        digest = hashlib.sha256(shipped.read_bytes()).hexdigest()
        if known.get(f"definition:{shipped.name.removesuffix('.toml')}") != digest:
            with as_file(shipped) as path:
                actions.take_directory_file(path=path, actor=actor, at=at)
            taken.append(shipped.name)
    return taken


def is_new() -> bool:
    """True when the deployment holds no tables yet."""
    return not connection.introspection.table_names()


def ensure() -> None:
    """Make a new deployment ready; refuse one of another version."""
    if is_new():
        sys.stderr.write("Preparing a new deployment.\n")
        migrate()
    refuse_unready()


def refuse_unready() -> None:
    """Raise NotReady unless the database is of this version and guarded by its triggers."""
    from joinery.apps.base import triggers

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotReady("The database is not of this version of Joinery. Run: joinery migrate")
    if not triggers.are_current(connection):
        raise NotReady("The database's triggers are not those of this version. Run: joinery migrate")
