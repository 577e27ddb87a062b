"""`joinery link files`: an analyst's own files, linked without a deployment."""

from __future__ import annotations

import argparse
import csv
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from joinery.calc.linkage.comparisons import HOUSEHOLD, comparison, level_of
from joinery.calc.units import parse_nhs_number
from joinery.site.commands import Problem, refuse_no_file, say
from joinery.site.commands.link.columns import Columns, Map, columns_of, common, only, read_map
from joinery.site.commands.link.linking import LADDER_WORDS, Link, Linked, link
from joinery.site.commands.link.reading import Sheet, compared, open_file, read

if TYPE_CHECKING:
    import pyarrow as pa

HEADER = (
    "file", "row", "id", "cluster", "linked_to_file", "linked_to_row", "linked_to_id", "bits", "probability", "why",
)  # fmt: skip
FEWEST_FIELDS = 2


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Link the files and write the clusters: a row for each record, in the order of the files."""
    paths: list[Path] = arguments.files
    if len(paths) > 2:
        raise Problem("Give one file or two. To link more, put their rows into one file first.")
    refuse_no_file(*paths)
    if len({path.resolve() for path in [*paths, arguments.out]}) <= len(paths):
        raise Problem("The files, and the file to write, must be different ones.")
    if not arguments.out.absolute().parent.is_dir():
        raise Problem(f"There is no folder {arguments.out.absolute().parent} to write {arguments.out.name} in.")
    wanted = read_map(arguments.columns)
    sheets, columns, warnings = _read(paths, wanted)
    no_duplicates = _no_duplicates(wanted, sheets)
    tables = []
    for sheet, mine in zip(sheets, columns, strict=True):
        table, notes = compared(sheet, mine)
        tables.append(table)
        warnings += notes
    say(f"Comparing {sum(sheet.records for sheet in sheets):,} records by {', '.join(_shown(columns[0].fields))}.")
    linked = link(tables, no_duplicates=no_duplicates, threads=os.cpu_count() or 1)
    warnings += linked.warnings
    names = _names(paths)
    _write(arguments.out, names, sheets, tables, linked)
    answer = _answer(linked, warnings) | {
        "columns": {_plain(name): list(given) for name, given in columns[0].fields.items()},
        "files": [{"file": name, "records": sheet.records} for name, sheet in zip(names, sheets, strict=True)],
        "out": str(arguments.out),
    }
    for warning in warnings:
        say(f"  {warning}")
    say(_sentence(answer))
    return answer, 0


def _read(paths: Sequence[Path], wanted: Map) -> tuple[list[Sheet], list[Columns], list[str]]:
    """The files, by the fields that all of them have, and what to tell the analyst of that."""
    opened = [open_file(path) for path in paths]
    columns = [columns_of(wanted, each.path, each.header) for each in opened]
    names, warnings = common(columns), []
    for each, mine in zip(opened, columns, strict=True):
        alone = [name for name in mine.fields if name not in names]
        if alone:
            warnings.append(f"{each.path.name} alone has {', '.join(_shown(alone))}: not compared.")
        if wanted.said is None:
            told = (f"{' and '.join(given)} as {_plain(name)}" for name, given in mine.fields.items())
            warnings.append(f"{each.path.name}: guessed {', '.join(told) or 'nothing'}.")
            if mine.left_out:
                warnings.append(f"{each.path.name}: not compared: {', '.join(mine.left_out)}. See --columns.")
    unknown = set(wanted.by_file) - {name for path in paths for name in (path.name, path.stem)}
    if unknown:
        raise Problem(f"The map speaks of files that were not given: {', '.join(sorted(unknown))}.")
    if len(names) < FEWEST_FIELDS:
        found = f"only {_plain(names[0])}" if names else "none"
        raise Problem(
            f"Records are compared by at least {FEWEST_FIELDS} fields that every file has, and there is {found}. "
            f"Say which columns they are with --columns MAP.yaml. {_headers(opened)}"
        )
    columns = [only(mine, names) for mine in columns]
    sheets = [read(each, mine) for each, mine in zip(opened, columns, strict=True)]
    note = _number_as_text(sheets, columns)
    return sheets, columns, warnings + note


def _headers(opened: Sequence[Any]) -> str:
    return " ".join(f"{each.path.name} has {', '.join(each.header)}." for each in opened)


def _number_as_text(sheets: Sequence[Sheet], columns: Sequence[Columns]) -> list[str]:
    """Compare as any other text what was called an NHS number and mostly is none, such as another country's."""
    given = [text for sheet in sheets for text in sheet.texts.get("nhs_number", ()) if text]
    if not given or sum(parse_nhs_number(text) is not None for text in given) * 2 >= len(given):
        return []
    for sheet, mine in zip(sheets, columns, strict=True):
        sheet.texts["x_number"] = sheet.texts.pop("nhs_number")
        mine.fields["x_number"] = mine.fields.pop("nhs_number")
    return ["Most NHS numbers fail their check, so they are compared as any other number."]


def _no_duplicates(wanted: Map, sheets: Sequence[Sheet]) -> bool:
    if wanted.no_duplicates and len(sheets) == 1:
        raise Problem("In one file without duplicates there is nothing to link. Leave out no_duplicates_within_file.")
    return wanted.no_duplicates


def _write(
    out: Path, names: Sequence[str], sheets: Sequence[Sheet], tables: Sequence[pa.Table], linked: Linked
) -> None:
    """A row for each record. A link stands at one of its two records; the first of a cluster has none."""
    where = [(name, row) for name, sheet in zip(names, sheets, strict=True) for row in range(1, sheet.records + 1)]
    ids = [each for sheet in sheets for each in sheet.ids]
    number: dict[int, int] = {}
    explain = _Explainer(tables, linked)
    towards = dict(_towards_first(linked))
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for record, group in enumerate(linked.clusters.group_of):
            row: list[object] = [*where[record], ids[record], number.setdefault(group, len(number) + 1)]
            if found := towards.get(record):
                other, by = found
                bits = by.bits
                score = ("", "") if bits is None else (f"{bits:.2f}", f"{_probability(bits):.6f}")
                row += [*where[other], ids[other], *score, explain(by)]
            else:
                row += [""] * 6
            writer.writerow(row)


def _towards_first(linked: Linked) -> Iterator[tuple[int, tuple[int, Link]]]:
    """Each record but the first of its cluster, with the record and the link that lead towards the first."""
    near: dict[int, list[tuple[int, Link]]] = defaultdict(list)
    for each in linked.links():
        near[each.left].append((each.right, each))
        near[each.right].append((each.left, each))
    for first in {linked.clusters.group_of[record] for record in near}:
        waiting, seen = [first], {first}
        while waiting:
            record = waiting.pop()
            for other, by in near[record]:
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
                    yield other, (record, by)


class _Explainer:
    """Says in words in what the two records of a link agree."""

    def __init__(self, tables: Sequence[pa.Table], linked: Linked) -> None:
        import pyarrow as pa

        whole = pa.concat_tables(tables, promote_options="default")
        texts = {name: whole[name] for name in whole.column_names if pa.types.is_string(whole[name].type)}
        self._texts = {name: [text or "" for text in values.to_pylist()] for name, values in texts.items()}
        compared = [each["output_column_name"] for each in linked.model["splink"]["comparisons"]]
        self._comparisons = [comparison(name) for name in compared]

    def __call__(self, by: Link) -> str:
        if by.ladder:
            return LADDER_WORDS[by.ladder]
        left, right = self._record(by.left), self._record(by.right)
        places = ((each, level_of(each, left, right)) for each in self._comparisons)
        levels = [(each, each.levels[place]) for each, place in places if place is not None]
        # That nothing points to a family is no reason to link.
        return "; ".join(level.words for each, level in levels if (each.name, level.sql) != (HOUSEHOLD, "ELSE"))

    def _record(self, position: int) -> Any:
        missing = dict.fromkeys(("nhs_number", "given_name", "family_name", "birth_date", "postcode", "gender"), "")
        return SimpleNamespace(**missing | {name: texts[position] for name, texts in self._texts.items()})


def _probability(bits: float) -> float:
    """The probability of a match weight."""
    return 1 / (1 + 2.0 ** -max(min(bits, 1000.0), -1000.0))


def _answer(linked: Linked, warnings: list[str]) -> dict[str, Any]:
    sizes = Counter(linked.clusters.group_of)
    return {
        "records": len(linked.clusters.group_of),
        "clusters": len(sizes),
        "linked": sum(size for size in sizes.values() if size > 1),
        "pairs": linked.linked_pairs,
        "unsure": len(linked.bits) - linked.linked_pairs,
        "refused": dict(Counter(why for _, why in linked.clusters.refused)),
        "model": linked.model["name"],
        "link_bits": linked.model["link_bits"],
        "review_bits": linked.model["review_bits"],
        "warnings": warnings,
    }


def _sentence(answer: dict[str, Any]) -> str:
    vetoed = sum(answer["refused"].values())
    return (
        f"{answer['records']:,} records are {answer['clusters']:,} people: {answer['pairs']:,} pairs linked at "
        f"{answer['link_bits']:.1f} bits or more, {answer['unsure']:,} pairs unsure, {vetoed:,} refused by a veto."
    )


def _names(paths: Sequence[Path]) -> list[str]:
    """What each file is called in the answer: its name, or its whole path where the names are the same."""
    alike = len({path.name for path in paths}) < len(paths)
    return [str(path) if alike else path.name for path in paths]


def _shown(names: Sequence[str] | dict[str, Any]) -> list[str]:
    return [_plain(name) for name in names]


def _plain(name: str) -> str:
    """A field's name as the analyst knows it."""
    return name.removeprefix("x_")
