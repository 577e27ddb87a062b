"""Write the reference pages that come from the code: `make docs`; a test says when one is stale.

Nothing is imported that needs a deployment: definitions are read as TOML, constants out of the source.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from joinery.__main__ import parser  # noqa: E402 (the path comes first)
from joinery.apps.base.feeds import Feed, File, When, feed_of  # noqa: E402
from joinery.apps.care.states import REFERRAL, STEPS  # noqa: E402
from joinery.apps.care.states import STATES as REFERRAL_STATES  # noqa: E402
from joinery.calc.access import (  # noqa: E402
    DIRECT_CARE,
    NOTHING_KNOWN,
    OWN_RECORD,
    PURPOSES,
    ROLES,
    SENSITIVITIES,
    TASKS,
    Circumstances,
    Involvement,
    Post,
    may_do,
    may_open,
    may_read,
)
from joinery.calc.access_table import table as access_table  # noqa: E402
from joinery.calc.returns import CHECKS, OTHER  # noqa: E402
from joinery.calc.twin.outcome import MEASURES  # noqa: E402
from joinery.calc.twin.place_file.keys import PARTS, TABLES  # noqa: E402
from tests.spec.asvs import CHAPTERS, STATES, Requirement, requirements  # noqa: E402
from tests.spec.pages_by_role import GROUPS, WORDS, rows  # noqa: E402
from tests.spec.return_rules import CASES  # noqa: E402

TARGET = ROOT / "docs" / "reference" / "generated"


def page(title: str, made_from: str, *parts: str) -> str:
    note = f"Written by `make docs` from `{made_from}`: do not edit by hand."
    return "\n\n".join([f"# {title}", note, *(part for part in parts if part)]) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def constant(path: str, name: str) -> Any:
    """The literal value that a module gives to a name, without importing it."""
    for node in ast.parse((ROOT / path).read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and [ast.unparse(t) for t in node.targets] == [name]:
            return ast.literal_eval(node.value)
    raise LookupError(f"{path} has no {name}")


# -- feeds ----------------------------------------------------------------------------------------


def feeds() -> str:
    """What each feed may hold and what becomes of it."""
    folder = ROOT / "joinery" / "definitions" / "feeds"
    fhir, adt = (tomllib.loads((folder / f"{name}.toml").read_text("utf-8")) for name in ("fhir", "adt"))
    return page(
        "Feeds",
        "joinery/definitions/feeds/*.toml",
        "A feed is what one organisation sends, in one form. There are three forms: `fhir`, `council` and `adt`. "
        "How to take files is in [take files](../../how-to/take-files.md).",
        *_fhir(fhir),
        *_tables(feed_of("council")),
        *_adt(adt),
    )


def _fhir(said: dict[str, Any]) -> Iterator[str]:
    yield "## `fhir`: FHIR R4"
    yield (
        f"Purpose: `{said['purpose']}`. A file is one resource or one Bundle, in JSON or XML, or NDJSON (a "
        "resource or a Bundle on each line); any of them may be compressed by gzip. Every valid resource is kept. "
        "A Patient says who a person is; these types make a line of the timeline. Of several elements the first "
        "that is present counts, but every detail is shown."
    )
    lists = ("at", "until", "title", "detail")
    rows = ((f"`{e['type']}`", e["kind"], *(code(e.get(each, ())) for each in lists)) for e in said["entry"])
    yield table(("Resource", "Line", "Date", "Until", "Title", "Details"), rows)
    yield table(
        ("Rule", "Values"),
        (
            ("A status that takes a line away", code(said["gone_status"])),
            *(
                (f"Security labels of what is `{name}`", code(each))
                for name, each in _by_sensitivity(said["sensitive"])
            ),
            ("States that go without saying", code(said["unsaid"])),
            ("System of the NHS number", f"`{said['nhs_number_system']}`"),
            ("What a list says that its source keeps back", code(said["list_held"])),
            ("What a list says that is known to be partial", code(said["list_part"])),
            ("Reasons for an empty list that say nothing", code(said["list_unsaid"])),
        ),
    )
    yield "These stand at the top of a person's page, unless they are over."
    yield table(
        ("Resource", "Stands as", "Over when", "Unless its code is"),
        ((code(b["types"]), f"`{b['name']}`", code(b["over"]), _instead(b.get("codes", {}))) for b in said["banner"]),
    )
    yield "A current list says something of all that it is about."
    rows = (tuple(f"`{each[name]}`" for name in ("code", "empty", "held", "part")) for each in said["list"])
    yield table(("List, SNOMED CT", "Empty", "Kept back", "Partial"), rows)


def _instead(codes: dict[str, str]) -> str:
    return ", ".join(f"`{each}` (`{name}`)" for each, name in codes.items())


def _adt(said: dict[str, Any]) -> Iterator[str]:
    yield "## `adt`: a hospital's messages"
    early, late = said["day_hours"]
    yield (
        f"Purpose: `{said['purpose']}`. Lawful basis: {said['lawful_basis']}. Cadence: {said['cadence']}. Kept "
        f"{said['retention']}. HL7 v2 in ER7, in a file or over MLLP: one message, many, a batch (FHS, BHS), with "
        f"or without MLLP frames. Late after {said['stale_after_minutes']} minutes of silence between {early}:00 "
        f"and {late}:00, and after {said['stale_at_night_after_minutes']} minutes at any time."
    )
    means = {
        "visit": "about a visit: PV1-19 must be filled", "person": "about a person only",
        "either": "about a visit where PV1-19 is filled, else about a person", "merge": "MRG-1 goes into PID-3",
    }  # fmt: skip
    events: dict[str, list[str]] = {}
    for event, kind in said["events"].items():
        events.setdefault(kind, []).append(event)
    yield table(("Events", "What they are"), ((code(each), means[kind]) for kind, each in events.items()))
    yield "A message of any other event is kept in quarantine, and changes nothing."
    for profile in said["profile"]:
        whose = code(profile["facilities"]) or "everybody else"
        yield f"### Profile {profile['name']}, of {whose}"
        components = {
            name: "the first filled of " + ", ".join(map(str, profile[name])) for name in ("ward", "bed", "site")
        }
        yield table(
            ("Where things stand", "In this profile"),
            (
                *((f"{name.capitalize()}, component of PV1-3", where) for name, where in components.items()),
                ("Authority of the NHS number in PID-3", code(profile["nhs_authorities"])),
                ("or its type", code(profile["nhs_types"])),
                ("Authority of the hospital's own number", code(filter(None, [profile["local_authority"]])) or "any"),
                ("An NHS number in PID-2", "read" if profile["nhs_number_in_pid2"] else "not read"),
                ("An update (A08) that names another place", "moves" if profile["updates_move"] else "is noted"),
                ("Times without an offset", f"`{profile['time_zone']}`"),
                ("MSH-11", code(profile["processing_ids"])),
            ),
        )


def _by_sensitivity(sensitive: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Which labels stand for each sensitivity."""
    for name in dict.fromkeys(sensitive.values()):
        yield name, [label for label, each in sensitive.items() if each == name]


def _tables(feed: Feed) -> Iterator[str]:
    """A feed of CSV files: its columns with what each may hold."""
    yield f"## `{feed.feed}`: {feed.title}"
    yield (
        f"Purpose: `{feed.purpose}`. Lawful basis: {feed.lawful_basis}. Cadence: {feed.cadence}; late after "
        f"{feed.stale_after_minutes // 60} hours without a file. Kept {feed.retention}. A CSV file, recognised by its "
        "columns: UTF-8, commas, a header row, dates as 2026-03-31, an empty cell for what is not known. A column "
        "that is not listed is kept with its row and not read."
        + (f" Every file also has the columns {code(feed.common)}." if feed.common else "")
    )
    for file in feed.file:
        if len(feed.file) > 1:
            yield f"### `{file.part}`"
        yield f"One thing is told from another by {code(_key(file))}."
        if file.kind:
            yield f"Makes a line **{file.kind}**, dated by {code(file.at)}, titled `{file.title}`."
        elif feed.store == "timeline":
            yield "Says who a person is." if file.part == "person" else "Kept, and not shown on any page yet."
        heads = ("Column", "Must be filled", "Form")
        yield table(heads, ((f"`{c}`", _must(c, file), _form(c, file)) for c in file.columns))
        for column, names in file.sensitive_when.items():
            yield from (f"A row whose `{column}` is `{value}` is `{name}`." for value, name in names.items())
        pairs = [f"`{second}` does not lie before `{first}`." for first, second in file.in_order]
        sums = [
            f"{' and '.join(map('`{}`'.format, parts))} are not more than `{most}`." for *parts, most in file.at_most
        ]
        yield "\n".join(f"- {each}" for each in (*pairs, *sums))
        if file.identifying:
            yield f"Never given out, not even to a measure: {code(file.identifying)}."


def _key(file: File) -> tuple[str, ...]:
    kinds = dict.fromkeys(column for kind in file.kinds.values() for column in kind.key)
    return (*("` or `".join(group) for group in file.one_of), *file.key, *kinds)


def _must(name: str, file: File) -> str:
    """Whether a column must be filled, or when, and what becomes of a row that lacks it."""
    taken = "" if not file.notes else ", else the row is quarantined"
    if name in file.required:
        return f"yes{taken}"
    if group := next((g for g in file.one_of if name in g), None):
        return f"{'yes' if len(group) == 1 else 'one of these'}{taken}"
    rules = (*(When({file.kind_column: (kind,)}, k.must, k.may) for kind, k in file.kinds.items()), *file.when)
    said = [
        (verb, rule.where) for rule in rules for verb, names in (("yes", rule.must), ("may", rule.may)) if name in names
    ]
    return "; ".join(f"{verb}{_where(where)}" for verb, where in said)


def _where(where: Mapping[str, tuple[str, ...]]) -> str:
    conditions = (f"`{c}` is {' or '.join(f'`{w}`' if w else 'empty' for w in words)}" for c, words in where.items())
    return f" where {' and '.join(conditions)}" if where else ""


def _form(name: str, file: File) -> str:
    if codes := file.meaning.get(name):
        return "; ".join(f"`{each}` {words}" for each, words in codes.items())
    if name in file.codes:
        earlier = f". Of an earlier release: {code(file.earlier[name])}" if name in file.earlier else ""
        return f"one of {code(file.codes[name])}{earlier}"
    forms = {
        "date": file.dates, "date and time": file.moments, "time of day": file.times, "number": file.numbers,
        "count": file.counts, "NHS number": file.nhs_numbers,
    }  # fmt: skip
    plain = next((form for form, columns in forms.items() if name in columns), "text")
    return f"`{file.patterns[name]}`" if name in file.patterns else plain


# -- returns --------------------------------------------------------------------------------------


def returns() -> str:
    """What returns may hold, and what becomes of a row that breaks a rule, case by case as the tests have it."""
    parts: list[str] = []
    for name, cases in CASES.items():
        parts += _tables(feed_of(name))
        parts.append("What becomes of a row, where a good one is changed in one way:")
        parts.append(
            table(
                ("Row", "Faults", "The row is"),
                (
                    (what[0].upper() + what[1:], ", ".join(f"`{c}`: {rule}" for c, rule in faults) or "none",
                     "quarantined" if quarantined else "taken")
                    for what, _, faults, quarantined in cases
                ),
            )
        )  # fmt: skip
    return page(
        "Returns",
        "joinery/definitions/feeds/*.toml` and `tests/spec/return_rules.py",
        "A return is sent for planning and measures. It makes nobody's record and adds nothing to one. How returns "
        "are read is in [how returns are read](../../explanation/how-returns-are-read.md).",
        *parts,
        "## Checks of a field",
        "Each fault has the check code by which the nation's reports count: 1 valid, 0 rightly blank, below that:",
        table(("Rule", "Check"), ((f"`{rule}`", str(check)) for rule, check in CHECKS.items())),
        f"Anything else is {OTHER}.",
    )


# -- command line ---------------------------------------------------------------------------------


def command_line() -> str:
    """Every command with its options and its example."""
    top = parser()
    parts = [
        "Exit codes: 0 done, 1 refused or a problem found, 2 the command itself is wrong. With `--json` a command "
        "prints one line of JSON on standard output; everything else it says goes to standard error.",
    ]
    for words, command in _commands(top, "joinery"):
        arguments = [a for a in command._actions if a.dest != "help"]
        example = (command.epilog or "").removeprefix("Example: ")
        parts += [f"## `{words}`", command.description or "", f"```sh\n{example}\n```"]
        parts.append(table(("Argument", "Meaning", "Default"), map(_argument, arguments)))
    return page("Command line", "joinery/__main__.py", *parts)


def _commands(parser: argparse.ArgumentParser, words: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    below = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not below:
        yield words, parser
    for name, command in (each for action in below for each in action.choices.items()):
        yield from _commands(command, f"{words} {name}")


def _argument(action: argparse.Action) -> tuple[str, str, str]:
    value = str(action.metavar or action.dest.upper()) if action.nargs != 0 else ""
    if action.choices:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    name = " ".join(filter(None, [*action.option_strings, value]))
    default = "" if action.default in (None, "", False) or not action.option_strings else f"`{action.default}`"
    words = re.sub(r" \(default \w+\)", "", action.help or "")
    needed = action.required and bool(action.option_strings)
    return f"`{name}`", f"{words} (required)".strip() if needed else words, default


# -- access ---------------------------------------------------------------------------------------


# How a viewer whose organisation is A may stand to a person.
STANDS = {
    "current": Circumstances((Involvement("A", date.min),)),
    "recent": Circumstances((Involvement("A", date.min, ended=date.max),)),
    "override": Circumstances(override=True),
    "none": NOTHING_KNOWN,
}


def access() -> str:
    """The table, and what it comes to for every role: worked out by the decision itself."""
    said = access_table()
    refusals = constant("joinery/apps/record/actions/viewing.py", "REFUSALS")
    what = constant("joinery/apps/base/access_log.py", "WHAT")
    care = [each for each in STANDS if each != "none"]
    checks = [purpose for purpose in PURPOSES if any(_opens(role, "none", purpose) != "no" for role in ROLES)]
    own = [
        (words, _opens("", each, OWN_RECORD)) for each, words in (("own", "theirs"), ("carer", "of whom they act for"))
    ]
    return page(
        "Who may see what",
        "joinery/definitions/access.toml",
        "Why it is so stands in [Who may see what](../../explanation/who-may-see-what.md). The answers below were "
        "worked out by the software, from the table that it decides by.",
        "## Roles",
        table(
            ("Role", "In words", "Who", "Days after care has ended", "Gives"),
            (
                (f"`{name}`", r.words, r.work, str(r.recent_days or "none"), code(r.gives))
                for name, r in said.roles.items()
            ),
        ),
        "## Whose record opens",
        "How the organisation stands to the person: "
        + "; ".join(f"`{name}`: {each.words}" for name, each in said.relationships.items())
        + ".",
        f"For `{DIRECT_CARE}`, {PURPOSES[DIRECT_CARE].lower()}. A cell says what is read that others wrote.",
        table(
            ("Role", *(f"`{each}`" for each in care)),
            ((words, *(_opens(role, each, DIRECT_CARE) for each in care)) for role, words in ROLES.items()),
        ),
        "For other purposes, whoever the person is.",
        table(
            ("Role", *(f"`{each}`" for each in checks)),
            ((words, *(_opens(role, "none", each) for each in checks)) for role, words in ROLES.items()),
        ),
        f"For `{OWN_RECORD}`, unless it is withheld because it would harm:",
        table(("A record", "They read"), own),
        table(("Purpose", "In words"), ((f"`{name}`", words) for name, words in PURPOSES.items())),
        f"For {code(n for n, each in said.purposes.items() if not each.opens)} nobody opens a record.",
        "## What is sensitive",
        table(
            ("Label", "What", "Source", "Read by the organisation that wrote it"),
            ((f"`{name}`", each.words, each.source, _yes(each.writer)) for name, each in said.sensitivities.items()),
        ),
        "Whoever opens a record for a person's care reads what their own organisation wrote. What is not read is shown "
        "as withheld, with where it came from and a way to ask for it.",
        "## What needs no record",
        table(
            ("Task", *ROLES.values()),
            (
                (words, *(_yes(may_do([Post(role, "A")], task).allowed) for role in ROLES))
                for task, words in TASKS.items()
            ),
        ),
        "## Refusals",
        "Whoever is refused reads why:",
        table(("Reason", "What they read"), ((f"`{name}`", words) for name, words in refusals.items())),
        "## What the access log says",
        table(("Look", "In words"), ((f"`{name}`", words) for name, words in what.items())),
    )


def _opens(role: str, stands: str, purpose: str) -> str:
    """What is read of what others wrote; `no` where the record does not open."""
    known = STANDS.get(stands, Circumstances(own=stands))
    decision = may_open((Post(role, "A"),) if role else (), known, purpose, date.max)
    if not decision.allowed:
        return "no"
    return ", ".join(["ordinary", *(f"`{each}`" for each in SENSITIVITIES if may_read(each, "B", decision))])


def _yes(allowed: bool) -> str:
    return "yes" if allowed else "no"


# -- pages ----------------------------------------------------------------------------------------


def pages() -> str:
    """Who may open each page, as the tests try it."""
    return page(
        "Who may open which page",
        "tests/spec/pages_by_role.py",
        "Every page is asked for by everybody in a test, and opens for whom this table names. Staff stand in an "
        "organisation that cares for the person, wrote the row, or was asked; elsewhere they are refused. "
        "Names of tasks are those of [who may see what](access.md).",
        table(
            ("Page", "Who may ask for it", "Who may send its form"),
            (
                (f"`{name}`", _who(read), "the same" if change == read else _who(change))
                for name, (read, change) in rows().items()
            ),
        ),
        "A task stands for these roles:",
        table(("Task", "Roles"), ((f"`{task}`", ", ".join(ROLES[role] for role in GROUPS[task])) for task in TASKS)),
    )


def _who(words: Iterable[str]) -> str:
    """The cell of a table of pages in words."""
    return "; ".join(WORDS.get(word) or (f"`{word}`" if word in TASKS else ROLES[word]) for word in words)


# -- asvs -----------------------------------------------------------------------------------------


def asvs() -> str:
    """The requirements of OWASP ASVS, how each stands, and the tests that say so."""
    rows = requirements()
    counts = ", ".join(f"{sum(r.state == state for r in rows)} {state}" for state in STATES)
    parts = []
    for number, name in CHAPTERS.items():
        mine = [r for r in rows if r.chapter == number]
        lines = ((r.id, str(r.level), r.asks, r.state, _shown(r)) for r in mine)
        parts += [f"## {number}. {name}", table(("Id", "Level", "Asks", "State", "Tests, or what is missing"), lines)]
    return page(
        "What OWASP ASVS asks, and how Joinery stands",
        "tests/spec/asvs.toml",
        "The [Application Security Verification Standard](https://owasp.org/www-project-application-security-"
        f"verification-standard/) 5.0.0, levels 1 and 2, in our own words: {counts}. We say so ourselves: nobody from "
        "outside has looked. Read the standard for what a line asks in full.",
        *parts,
    )


def _shown(requirement: Requirement) -> str:
    tests = ", ".join(f"`{test}`" for test in requirement.tests)
    return "; ".join(filter(None, (tests, requirement.says)))


# -- referrals ------------------------------------------------------------------------------------


def referrals() -> str:
    """The states of a referral as a picture and as tables, and the clocks and words of the rules of today."""
    rules = tomllib.loads((ROOT / "joinery/definitions/rules/referrals.toml").read_text("utf-8"))["rules"][-1]
    waiting = {name: state for name, state in REFERRAL_STATES.items() if state.waits_for}
    sides = {"sender": "who asked", "service": "the service"}
    asks = {"": "nothing", "words": "words", "reason": "a reason, and words"}
    return page(
        "What becomes of a referral",
        "joinery/apps/care/states.py` and `joinery/definitions/rules/referrals.toml",
        f"```mermaid\n{REFERRAL.diagram()}\n```",
        "## States",
        table(
            ("State", "In words", "Waits for", "Next step"),
            (
                (f"`{name}`", state.words, sides.get(state.waits_for, "nobody"), state.next_step)
                for name, state in REFERRAL_STATES.items()
            ),
        ),
        "## Steps",
        table(
            ("From", "To", "Taken by", "Means", "Asks for"),
            ((f"`{now}`", f"`{to}`", sides[step.by], step.words, asks[step.asks]) for (now, to), step in STEPS.items()),
        ),
        f"## How soon, from {rules['valid_from']}",
        "How long each state may last. What is overdue reaches the managers of whose turn it is at once, and the "
        "person's co-ordinator after the time in the last column. Working hours and days leave out bank holidays.",
        table(
            ("Urgency", "Means", *(state.words for state in waiting.values()), "Co-ordinator"),
            (
                (each["words"], each["means"], *(each[name] for name in waiting), each["co_ordinator_after"])
                for each in rules["urgencies"].values()
            ),
        ),
        "## Reasons",
        table(
            ("For", "Code", "Words"),
            (
                (f"`{state}`", f"`{name}`", words)
                for state, reasons in rules["reasons"].items()
                for name, words in reasons.items()
            ),
        ),
        "## Kinds of services",
        table(("Code", "Words"), ((f"`{name}`", words) for name, words in rules["kinds"].items())),
    )


# -- the twin --------------------------------------------------------------------------------------


def place_file() -> str:
    """What a place file may hold, as its parser has it, and the figures of a run."""
    parts = []
    for header, kind in (*TABLES.items(), *((f"`{name}`", kind) for name, kind in PARTS.items())):
        parts.append(f"## {header if header[0] == '`' else f'`{header}`'}")
        parts.append(" ".join((kind.__doc__ or "").split()))
        fields = [each for each in msgspec.inspect.type_info(kind).fields if each.name not in ("source", "assumption")]  # type: ignore[attr-defined]
        rows = ((f"`{e.encode_name}`", "yes" if e.required else "", _takes(e.type), _meaning(e.type)) for e in fields)
        parts.append(table(("Key", "Must be there", "Takes", "Meaning"), rows))
    return page(
        "Place file",
        "joinery/calc/twin/place_file/keys.py` and `joinery/calc/twin/outcome.py",
        "What `joinery twin` runs: TOML. Every table may also say `source` and `assumption`, where its figures come "
        "from. How to write one is in [try a change](../../how-to/try-a-change-before-it-is-made.md).",
        *parts,
        "## Figures of a run",
        "Of each there is one value a replication; means, intervals and differences are taken over these. A year has "
        "365.25 days; what is a year's is the window's, the warm-up left out, brought to a year.",
        table(
            ("Figure", "What it is", "Unit", "One for each"),
            ((f"`{name}`", each.words, each.unit, each.each) for name, each in MEASURES.items()),
        ),
    )


def _meaning(kind: Any) -> str:
    return str(kind.extra_json_schema["description"])


def _takes(kind: Any) -> str:
    """The values that a key takes, in words."""
    inspect = msgspec.inspect
    if isinstance(kind, inspect.Metadata):
        return _takes(kind.type)
    if isinstance(kind, inspect.UnionType):
        return " or ".join(_takes(each) for each in kind.types if not isinstance(each, inspect.NoneType))
    if isinstance(kind, inspect.VarTupleType):
        return f"list of {_takes(kind.item_type)}"
    if isinstance(kind, inspect.DictType):
        return f"table of {_takes(kind.value_type)}"
    if isinstance(kind, inspect.LiteralType):
        return " or ".join(f"`{each}`" for each in kind.values)
    if isinstance(kind, inspect.StructType):
        return next(f"`{name}`" for name, each in PARTS.items() if each is kind.cls)
    words = {inspect.FloatType: "number", inspect.IntType: "whole number", inspect.DateType: "date"}
    plain = words.get(type(kind)) or {inspect.StrType: "text", inspect.BoolType: "`true` or `false`"}[type(kind)]
    limits = ((kind.ge, "from {}"), (kind.gt, "above {}"), (kind.le, "to {}")) if hasattr(kind, "ge") else ()
    return " ".join([plain, *(say.format(f"{limit:g}") for limit, say in limits if limit is not None)])


# -- settings -------------------------------------------------------------------------------------


def settings() -> str:
    """The environment variables, from the list at the head of the settings."""
    said = ast.get_docstring(ast.parse((ROOT / "joinery/site/settings.py").read_text("utf-8"))) or ""
    rows = re.findall(r"^- `(JOINERY_\w+)`: (.+?)[;.]?$", said, flags=re.MULTILINE)
    return page(
        "Settings",
        "joinery/site/settings.py",
        "Everything that a deployment decides comes from these environment variables. All may be left out.",
        table(("Variable", "Meaning"), ((f"`{name}`", words) for name, words in rows)),
    )


PAGES = {
    "referrals.md": referrals,
    "feeds.md": feeds,
    "returns.md": returns,
    "command-line.md": command_line,
    "access.md": access,
    "pages.md": pages,
    "asvs.md": asvs,
    "place-file.md": place_file,
    "settings.md": settings,
}


if __name__ == "__main__":
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, write in PAGES.items():
        (TARGET / name).write_text(write(), "utf-8")
    print(f"Wrote {', '.join(PAGES)}.")
