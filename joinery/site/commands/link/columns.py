"""Which column of an analyst's file is what: said in a map, or guessed from the headers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from joinery.apps.base.tables import plain
from joinery.site.commands import Problem, refuse_no_file

# What people call each field, as `plain` writes it. An analyst's map may use these words too.
CALLED = {
    "nhs_number": "nhs number, nhs no, nhsnumber, nhs, nhs num",
    "given_name": "given name, forename, forenames, first name, firstname, fname, given, given names, name1",
    "family_name": "family name, surname, last name, lastname, lname, family, sname",
    "birth_date": "birth date, date of birth, dob, birthdate, birthday, dateofbirth, person birth date",
    "postcode": "postcode, post code, zip, zipcode, zip code, postal code, pcode, postcode fake",
    "gender": "gender, sex, gender code, sex code",
    "address": "address, street, street address, address line, address 1, address line 1, address1",
    "phone": "phone, telephone, mobile, phone number, telephone number, tel",
    "town": "town, city, suburb, locality",
    "email": "email, e mail, email address",
}
WORDS = {word: ours for ours, words in CALLED.items() for word in words.split(", ")}
# Fields that have no comparison of their own are compared as any other text.
_AS_OTHER = ("town", "email")
SETTINGS = ("id", "truth", "other", "dates", "no_duplicates_within_file", "files")
MOST_MAP_BYTES = 64 * 1024
ORDERS = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of one file are. `fields` gives each field of ours the columns whose texts are joined;
    a field that only this analyst compares is named `x_...`."""

    fields: dict[str, tuple[str, ...]]
    id: str = ""
    dates: str = ""
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Map:
    """What an analyst said of the columns; `None` where nothing was said and headers must tell."""

    said: Mapping[str, Any] | None = None
    by_file: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    no_duplicates: bool = False


def read_map(path: Path | None) -> Map:
    """The map. Raises Problem for anything that is not one."""
    if path is None:
        return Map()
    import yaml

    refuse_no_file(path)
    if path.stat().st_size > MOST_MAP_BYTES:
        raise Problem(f"{path.name} is too long to say which column is what. Is it another file?")
    try:
        said = yaml.safe_load(path.read_text("utf-8-sig"))
    except UnicodeDecodeError:
        raise Problem(f"{path.name} is not UTF-8 text. Is it another file?") from None
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # also of a number or brackets without end
        raise Problem(
            f"{path.name} is not YAML: {' '.join(str(error).split())}. Write lines as: surname: SNAME"
        ) from None
    if not isinstance(said, dict) or not said:
        raise Problem(
            f"{path.name} holds no lines such as: family_name: SURNAME. On the left our name, on the right yours."
        )
    if isinstance(said.get("columns"), dict):
        said = {**said.pop("columns"), **said}
    by_file = said.pop("files", None) or {}
    if not isinstance(by_file, dict) or not all(isinstance(each, dict) for each in by_file.values()):
        raise Problem(f"{path.name}: under files: stands the name of each file, and below it its columns.")
    alone = said.pop("no_duplicates_within_file", False)
    if not isinstance(alone, bool):
        raise Problem(f"{path.name}: no_duplicates_within_file is true or false, not {alone!r}.")
    return Map(said, {str(name): each for name, each in by_file.items()}, alone)


def columns_of(wanted: Map, file: Path, header: list[str]) -> Columns:
    """What the columns of a file are. Raises Problem for a field or column that is not there."""
    if wanted.said is None:
        return guessed(header)
    said = {**wanted.said, **wanted.by_file.get(file.name, wanted.by_file.get(file.stem, {}))}
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in said.items():
        if name in ("id", "truth", "dates"):
            continue
        if name == "other":
            fields |= _others(value, file, header)
        elif value is not None:
            fields[our_name(str(name))] = _there(_listed(value), file, header)
    id_column = _there((str(said["id"]),), file, header)[0] if said.get("id") else ""
    _refuse_truth(said.get("truth"), fields)
    _refuse_twice(file, fields)
    used = {column for columns in fields.values() for column in columns}
    left_out = tuple(column for column in header if column not in used and column != id_column)
    return Columns(fields, id_column, _order(said.get("dates")), left_out)


def guessed(header: list[str]) -> Columns:
    """What headers alone tell; the first column of each meaning counts.

    >>> guessed(["rec_id", "Forename", "Surname", "DOB"]).fields
    {'given_name': ('Forename',), 'family_name': ('Surname',), 'birth_date': ('DOB',)}
    """
    fields: dict[str, tuple[str, ...]] = {}
    for column in header:
        ours = WORDS.get(plain(column.replace("_", " ")))
        if ours is not None:
            fields.setdefault(_as_compared(ours), (column,))
    used = {columns[0] for columns in fields.values()}
    return Columns(fields, left_out=tuple(column for column in header if column not in used))


def common(files: Iterable[Columns]) -> list[str]:
    """The fields that every file has, in our order."""
    each = list(files)
    return [name for name in each[0].fields if all(name in columns.fields for columns in each)]


def only(columns: Columns, names: Iterable[str]) -> Columns:
    """The same with these fields only."""
    return replace(columns, fields={name: columns.fields[name] for name in names})


def our_name(word: str) -> str:
    """Our name of a field that an analyst calls something. Raises Problem when we know no such field.

    >>> our_name("Forename"), our_name("town")
    ('given_name', 'x_town')
    """
    ours = WORDS.get(plain(word.replace("_", " ")))
    if ours is None:
        near = get_close_matches(plain(word.replace("_", " ")), WORDS, 1)
        hint = f"Did you mean {WORDS[near[0]]}? " if near else ""
        raise Problem(
            f"There is no field {word!r}. {hint}Fields are {', '.join(CALLED)}; a column of another kind goes "
            "under other:, and id:, truth:, dates:, files: and no_duplicates_within_file: are settings."
        )
    return _as_compared(ours)


def _as_compared(ours: str) -> str:
    return f"x_{ours}" if ours in _AS_OTHER else ours


def _others(value: Any, file: Path, header: list[str]) -> dict[str, tuple[str, ...]]:
    """Further columns: a list, or a mapping of a name for both files to each file's column."""
    named = value.items() if isinstance(value, dict) else ((each, each) for each in _listed(value))
    found = {}
    for name, columns in named:
        key = "_".join(plain(str(name).replace("_", " ")).split())
        found[f"x_{key}"] = _there(_listed(columns), file, header)
    return found


def _listed(value: Any) -> tuple[str, ...]:
    """One column, or several to join."""
    listed = value if isinstance(value, list) else [value]
    if not listed or not all(isinstance(each, str | int | float) for each in listed):
        raise Problem(f"{value!r} is no column. Write the name of a column, or several as [address_1, address_2].")
    return tuple(str(each).strip() for each in listed)


def _there(columns: tuple[str, ...], file: Path, header: list[str]) -> tuple[str, ...]:
    """The columns as the header writes them. Raises Problem for one that the file does not have."""
    by_plain = {column.strip().lower(): column for column in header}
    for column in columns:
        if column.lower() not in by_plain:
            near = get_close_matches(column, header, 1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise Problem(f"{file.name} has no column {column!r}. {hint}Its columns are {', '.join(header)}.")
    return tuple(by_plain[column.lower()] for column in columns)


def _refuse_truth(truth: Any, fields: Mapping[str, tuple[str, ...]]) -> None:
    """Who is who in truth must not be among what is compared."""
    for name, columns in fields.items():
        if truth is not None and str(truth) in columns:
            raise Problem(f"The column {truth} is the truth, and cannot be compared too as {name.removeprefix('x_')}.")


def _refuse_twice(file: Path, fields: Mapping[str, tuple[str, ...]]) -> None:
    """One column compared as two fields would be evidence twice, and is mostly a slip in the map."""
    first: dict[str, str] = {}
    for name, columns in fields.items():
        for column in columns:
            other = first.setdefault(column, name)
            if other != name:
                raise Problem(
                    f"{file.name}: the column {column} is both {other.removeprefix('x_')} and "
                    f"{name.removeprefix('x_')} in the map. Give it to one of them."
                )


def _order(said: Any) -> str:
    """The order of day, month and year: dmy, mdy, ymd, or a format such as %d/%m/%Y. "" to find it out."""
    if said is None:
        return ""
    order = (
        "".join(letter for letter in str(said).lower() if letter in "dmy") if "%" in str(said) else str(said).lower()
    )
    if order not in ORDERS:
        raise Problem(f"dates: is one of {', '.join(ORDERS)} (or a format such as %d/%m/%Y), not {said!r}.")
    return order
