"""`definitions/access.toml`, parsed: who may see what, as a place's Caldicott guardian reads it.

Anything that does not fit stops the start of the software, and says which entry of the table is wrong: a
table that was half understood would let somebody in, or keep out a nurse at night.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)

NAME = "access.toml"
CURRENT, RECENT, OVERRIDE, OWN, CARER, NO_RELATIONSHIP = "current", "recent", "override", "own", "carer", "none"
# How they are worked out is code (joinery/calc/access.py), so the table can say what each allows and add none.
RELATIONSHIPS = (CURRENT, RECENT, OVERRIDE, OWN, CARER, NO_RELATIONSHIP)
# Of people who see a record because of who they are, not through a role.
WITHOUT_ROLE = (OWN, CARER)


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    words: str


class Role(_Entry, frozen=True):
    """What somebody is in an organisation: in words, what they do, for how many days after care has ended they
    may still open a record, whether they stand for every home and branch that a `group` runs, and the roles that
    they give to others."""

    work: str
    recent_days: int = 0
    group: bool = False
    gives: tuple[str, ...] = ()


class Relationship(_Entry, frozen=True):
    """How the viewer, or the organisation where they have a role, stands to a person."""


class Purpose(_Entry, frozen=True):
    """What a look is for; `opens`: somebody may open a record for it."""

    opens: bool = True


class Sensitivity(_Entry, frozen=True):
    """What is kept from most, and where that comes from; `writer`: the organisation that wrote it reads it."""

    source: str
    writer: bool = True


class Task(_Entry, frozen=True):
    """Something that is done without opening a record."""


class May(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record opens for any of these roles, with any of these relationships, for any of these purposes.

    `reads`: of what is sensitive, what is read whoever wrote it; `reads_own`: all that one's own organisation
    wrote. Without roles where people see a record because of who they are.
    """

    relationships: tuple[str, ...]
    purposes: tuple[str, ...]
    reads: tuple[str, ...]
    reads_own: bool
    roles: tuple[str, ...] = ()

    def about(self) -> Iterator[tuple[str, str, str]]:
        """Each role (empty where none is needed), relationship and purpose that the row is about."""
        return product(self.roles or ("",), self.relationships, self.purposes)


class Duty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Any of these roles does any of these tasks."""

    roles: tuple[str, ...]
    tasks: tuple[str, ...]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole table."""

    roles: dict[str, Role]
    relationships: dict[str, Relationship]
    purposes: dict[str, Purpose]
    sensitivities: dict[str, Sensitivity]
    tasks: dict[str, Task]
    may: tuple[May, ...]
    duty: tuple[Duty, ...]


_PARTS: dict[str, type[msgspec.Struct]] = {
    "roles": Role, "relationships": Relationship, "purposes": Purpose, "sensitivities": Sensitivity, "tasks": Task,
    "may": May, "duty": Duty,
}  # fmt: skip


@cache
def table() -> Table:
    """The table that ships. Raises ValueError, with every entry that is wrong."""
    return read_table(files("joinery.definitions").joinpath(NAME).read_text("utf-8"))


def read_table(text: str) -> Table:
    """A table from its text. Raises ValueError, with the entries that are wrong."""
    try:
        toml = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{NAME}: {error}") from error
    for where, entry, kind in _entries(toml):
        _converted(where, entry, kind)
    said = _converted(NAME, toml, Table)
    wrong = [*_unknown(said), *_rows(said), *_unused(said)]
    if wrong:
        raise ValueError("\n".join(f"{NAME}, {each}" for each in wrong))
    return said


def _entries(toml: dict[str, Any]) -> Iterator[tuple[str, Any, type[msgspec.Struct]]]:
    """Each entry as the file names it, and what it must be."""
    for part, kind in _PARTS.items():
        entries = toml.get(part)
        if isinstance(entries, dict):
            yield from ((f"{NAME}, [{part}.{name}]", entry, kind) for name, entry in entries.items())
        elif isinstance(entries, list):
            yield from ((f"{NAME}, [[{part}]] {number}", entry, kind) for number, entry in enumerate(entries, 1))


def _converted(where: str, entry: Any, kind: type[T]) -> T:
    try:
        return msgspec.convert(entry, kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"{where}: {error}") from error


def _unknown(said: Table) -> Iterator[str]:
    """Codes that no entry explains, and relationships that the software does not know."""
    if set(said.relationships) != set(RELATIONSHIPS):
        yield f"[relationships] are {', '.join(RELATIONSHIPS)}, no more and no less."
    for name, role in said.roles.items():
        yield from _missing(f"[roles.{name}] gives", role.gives, said.roles)
    for number, row in enumerate(said.may, 1):
        where = f"[[may]] {number}"
        yield from _missing(f"{where}, roles", row.roles, said.roles)
        yield from _missing(f"{where}, relationships", row.relationships, said.relationships)
        yield from _missing(f"{where}, purposes", row.purposes, said.purposes)
        yield from _missing(f"{where}, reads", row.reads, said.sensitivities)
    for number, duty in enumerate(said.duty, 1):
        yield from _missing(f"[[duty]] {number}, roles", duty.roles, said.roles)
        yield from _missing(f"[[duty]] {number}, tasks", duty.tasks, said.tasks)


def _missing(where: str, codes: Iterable[str], known: Mapping[str, object]) -> Iterator[str]:
    for code in codes:
        if code not in known:
            yield f"{where}: there is no {code}. There are {', '.join(known)}."


def _rows(said: Table) -> Iterator[str]:
    """Rows that say nothing, contradict themselves, or say what another row says."""
    times = Counter(key for row in said.may for key in row.about())
    for number, row in enumerate(said.may, 1):
        where = f"[[may]] {number}"
        if not (row.relationships and row.purposes):
            yield f"{where} needs relationships and purposes."
        for relationship in row.relationships:
            if bool(row.roles) == (relationship in WITHOUT_ROLE):
                yield f"{where}: {relationship} {'needs no' if row.roles else 'needs'} roles."
        if row.reads_own and not row.roles:
            yield f"{where}: reads_own is about the organisation of a role, and there are no roles."
        for code in row.reads:
            if code in said.sensitivities and not said.sensitivities[code].writer:
                yield f"{where}: nobody reads what is {code}."
        for key in row.about():
            if times[key] > 1:
                yield f"{where}: {' '.join(filter(None, key))} stands in more than one row."
    for number, duty in enumerate(said.duty, 1):
        if not (duty.roles and duty.tasks):
            yield f"[[duty]] {number} needs roles and tasks."


def _unused(said: Table) -> Iterator[str]:
    """Entries that no row is about, and rows that an entry makes void."""
    recent = {role for row in said.may if RECENT in row.relationships for role in row.roles}
    busy = {role for row in said.may for role in row.roles} | {role for row in said.duty for role in row.roles}
    done = {task for duty in said.duty for task in duty.tasks}
    opened = {purpose for row in said.may for purpose in row.purposes}
    for name, role in said.roles.items():
        if name not in busy:
            yield f"[roles.{name}] stands in no row: it could do nothing."
        if role.recent_days < 0 or (role.recent_days > 0) != (name in recent):
            yield f"[roles.{name}] needs recent_days above 0 if a row is about its recent care, and none otherwise."
    for name, purpose in said.purposes.items():
        if purpose.opens != (name in opened):
            yield f"[purposes.{name}] opens is {str(purpose.opens).lower()}, and the rows say otherwise."
    for name in said.tasks:
        if name not in done:
            yield f"[tasks.{name}] is nobody's duty."
