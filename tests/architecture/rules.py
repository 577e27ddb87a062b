"""The rules of the house that import-linter cannot see. Each takes a tree and yields its violations.

The import contracts stand in pyproject.toml; the reasons stand in ARCHITECTURE.md.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import jinja2
from jinja2 import nodes

from tests.architecture.source import Module, Tree

Rule: TypeAlias = Callable[[Tree], Iterator[str]]

ROOT = Path(__file__).parents[2]


def river() -> tuple[str, ...]:
    """The apps from upstream to downstream, as the import contract in pyproject.toml lists them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["id"] == "river")
    return tuple(layer.strip("()") for layer in reversed(layers))


RIVER = river()

# What an app shows of itself: to other apps, and to the site, which also mounts its pages.
DOORS = {"actions", "facts"}
SITE_DOORS = DOORS | {"views", "urls"}
# What every app is built with.
BASE_HELPERS = {
    "action",
    "access_log",
    "columns",
    "feeds",
    "keys",
    "remember",
    "rights",
    "states",
    "tables",
    "triggers",
}
# What the site alone keeps going: the worker that seals the logs, and the command that verifies what is held.
BASE_JOBS = {"parents", "seal"}


def only_doors_are_imported(tree: Tree) -> Iterator[str]:
    """An app shows its actions and its facts; models and the rest are private to it."""
    for module in tree.modules:
        if not module.is_in("joinery"):
            continue
        for node, name in module.imports():
            parts = name.split(".")
            if parts[:2] != ["joinery", "apps"] or len(parts) < 3 or parts[2] == module.app:
                continue
            allowed = DOORS if module.app else SITE_DOORS
            if parts[2] == "base":
                allowed = allowed | BASE_HELPERS | (set() if module.app else BASE_JOBS)
            if len(parts) == 3 or parts[3] not in allowed:
                yield module.at(node, f"{name} is private to {parts[2]}; use {' or '.join(sorted(allowed))}")


# One calculation for one memory.
PAIRS = {"linkage": "record", "ledger": "money", "spc": "measures", "twin": "scenarios"}


def calculations_belong_to_one_app(tree: Tree) -> Iterator[str]:
    """Each of the four pairs is closed to other apps, which ask its facts instead. The site may compose."""
    for module in tree.modules:
        for node, name in module.imports():
            parts = name.split(".")
            owner = PAIRS.get(parts[2]) if parts[:2] == ["joinery", "calc"] and len(parts) > 2 else None
            if owner and module.app and module.app != owner:
                yield module.at(node, f"joinery.calc.{parts[2]} serves {owner} alone")


def action_entries_stay_in_base(tree: Tree) -> Iterator[str]:
    """Only `@action` writes an ActionEntry, so that no act can leave a second one, or a false one."""
    for module in tree.modules:
        if not module.is_in("joinery") or module.app == "base":
            continue
        for node in ast.walk(module.tree):
            word = {ast.Name: "id", ast.Attribute: "attr", ast.alias: "name", ast.Constant: "value"}.get(type(node))
            if word and str(getattr(node, word)).rpartition(".")[2] == "ActionEntry":
                yield module.at(node, "ActionEntry is written by @action alone")


WRITES_ALWAYS = {"bulk_create", "bulk_update", "get_or_create", "update_or_create"}
WRITES_WITH_KEYWORDS_ONLY = {"create", "update"}  # {}.update(other) and the like take a position
WRITE_HELPERS = {f"joinery.apps.base.columns.{name}" for name in ("insert_rows", "reserve_ids")}
WRITE_SQL = re.compile(r"\s*(INSERT\s+INTO|REPLACE\s+INTO|DELETE\s+FROM|TRUNCATE\s|UPDATE\s+(\"?$|\"?\w+\"?\s+SET\b))")
# A session's rows are Django's own; Jinja's tables of names are no rows.
NOT_ROWS = {"session", "globals", "filters"}
# The helpers that actions write with.
BASE_WRITERS = {f"joinery/apps/base/{name}.py" for name in ("action", "access_log", "columns", "seal", "triggers")}


def models_are_written_in_actions(tree: Tree) -> Iterator[str]:
    """An app's actions are the only way in. Saving a session is the named exception."""
    for module in tree.modules:
        exempt = module.is_migration or module.is_kind("actions") or str(module.path) in BASE_WRITERS
        if exempt or not module.is_in("joinery/apps", "joinery/site"):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and _is_write(module, node):
                yield module.at(node, f"{ast.unparse(node.func)}() writes outside actions")
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and WRITE_SQL.match(node.value):
                yield module.at(node, "SQL that writes stands outside actions")


def _is_write(module: Module, call: ast.Call) -> bool:
    if module.full_name(call.func) in WRITE_HELPERS:
        return True
    if not isinstance(call.func, ast.Attribute):
        return False
    if (module.full_name(call.func.value) or "").rpartition(".")[2] in NOT_ROWS:
        return False
    method = call.func.attr
    if method[:1] == "a" and method[1:] in WRITES_ALWAYS | WRITES_WITH_KEYWORDS_ONLY | {"save", "delete"}:
        method = method[1:]
    if method in WRITES_WITH_KEYWORDS_ONLY:
        return bool(call.keywords) and not call.args
    if method == "save":  # of a row or a form; a file's save takes its name first
        return not call.args
    if method == "delete":  # of a row or a query; a cache's delete takes a key
        return not call.args and not call.keywords
    return method in WRITES_ALWAYS


HIDDEN_IMPORT_CALLS = {"__import__", "eval", "exec", "django.utils.module_loading.import_string"}


def nothing_is_imported_by_name(tree: Tree) -> Iterator[str]:
    """An import that import-linter cannot read would be a way round every contract.

    joinery/__main__.py stands above the contracts, and loads the chosen command by name.
    """
    for module in tree.modules:
        if not module.is_in("joinery/calc", "joinery/apps", "joinery/site") or module.is_migration:
            continue
        for node, name in module.imports():
            if name.startswith(("importlib", "runpy")) and not name.startswith(
                ("importlib.resources", "importlib.metadata")
            ):
                yield module.at(node, f"{name} hides an import")
        for call in module.calls():
            name = module.full_name(call.func) or ""
            if name in HIDDEN_IMPORT_CALLS or (isinstance(call.func, ast.Attribute) and call.func.attr == "get_model"):
                yield module.at(call, f"{ast.unparse(call.func)}() hides an import")


CLOCKS = {
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "datetime.date.today",
    "django.db.models.functions.Now",
    "django.utils.timezone.localdate",
    "django.utils.timezone.now",
    "time.gmtime",
    "time.localtime",
    "time.time",
    "time.time_ns",
}


def time_is_passed_in(tree: Tree) -> Iterator[str]:
    """Below the site nothing reads the clock: whoever acts says when (`at`), and tests choose."""
    for module in tree.modules:
        if not module.is_in("joinery/calc", "joinery/apps"):
            continue
        for node in ast.walk(module.tree):
            # Not only calls: `default=timezone.now` reads the clock too.
            if isinstance(node, ast.Name | ast.Attribute) and module.full_name(node) in CLOCKS:
                yield module.at(node, f"{ast.unparse(node)} reads the clock")
            if isinstance(node, ast.keyword) and node.arg in {"auto_now", "auto_now_add"}:
                yield module.at(node.value, f"{node.arg} reads the clock")


RELATIONS = {"ForeignKey", "OneToOneField", "ManyToManyField"}


def foreign_keys_point_upstream(tree: Tree) -> Iterator[str]:
    """`ForeignKey("care.Plan")` in record would make record depend on care without importing it."""
    for module in tree.modules:
        if module.app not in RIVER:
            continue
        for call in module.calls():
            if (module.full_name(call.func) or "").rpartition(".")[2] not in RELATIONS:
                continue
            targets = [
                *call.args[:1],
                *(keyword.value for keyword in call.keywords if keyword.arg in {"to", "through"}),
            ]
            for target in targets:
                if not isinstance(target, ast.Constant) or "." not in str(target.value):
                    continue
                other = str(target.value).partition(".")[0]
                if other in RIVER and RIVER.index(other) > RIVER.index(module.app):
                    yield module.at(call, f"{module.app} points down the river, to {target.value}")


FACT_KINDS = {"person_facts", "place_facts", "row_facts"}


def facts_are_of_a_known_kind(tree: Tree) -> Iterator[str]:
    """Person facts take a Viewing first; place facts and row facts take none. There is no fourth kind."""
    for module in tree.modules:
        if not module.is_kind("facts"):
            continue
        for function in module.tree.body:
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if function.name.startswith("_") or (module.app == "base" and function.name in FACT_KINDS):
                continue
            kinds = _kinds(function)
            if len(kinds) != 1:
                yield module.at(function, f"{function.name} is marked as {len(kinds)} kinds of facts, not one")
                continue
            parameters = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            viewings = [n for n, parameter in enumerate(parameters) if _is_viewing(parameter)]
            if kinds == {"person_facts"} and viewings != [0]:
                yield module.at(
                    function, f"{function.name} are person facts: the first parameter is `viewing: Viewing`"
                )
            if kinds != {"person_facts"} and viewings:
                yield module.at(function, f"{function.name} take a Viewing, so they are person facts")


def _kinds(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    return {ast.unparse(mark).rpartition(".")[2] for mark in function.decorator_list} & FACT_KINDS


def _is_viewing(parameter: ast.arg) -> bool:
    annotation = ast.unparse(parameter.annotation).strip("'\"") if parameter.annotation else ""
    return parameter.arg == "viewing" and annotation.rpartition(".")[2] == "Viewing"


def views_use_no_row_facts(tree: Tree) -> Iterator[str]:
    """Row facts are pseudonymous columns for jobs; no page may show them."""
    rows = set()
    for module in tree.modules:
        if module.is_kind("facts"):
            for function in module.tree.body:
                if isinstance(function, ast.FunctionDef) and "row_facts" in _kinds(function):
                    # A facts/ folder may publish the name from its __init__ as well.
                    file = ".".join(module.path.with_suffix("").parts)
                    rows |= {f"{file}.{function.name}", f"joinery.apps.{module.app}.facts.{function.name}"}
    for module in tree.modules:
        if not module.is_in("joinery") or not ({"views", "views.py"} & set(module.path.parts)):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Name | ast.Attribute) and module.full_name(node) in rows:
                yield module.at(node, f"{ast.unparse(node)} are row facts, and this is a view")
        for node, name in module.imports():
            if name in rows:
                yield module.at(node, f"{name} are row facts, and this is a view")


FUNCTION_LINES = 70
FILE_LINES = 600
TEST_FILE_LINES = 800


def functions_and_files_are_short(tree: Tree) -> Iterator[str]:
    """What does not fit on a screen and a bit is two things. Django writes the migrations."""
    for module in tree.modules:
        if module.is_migration:
            continue
        limit = TEST_FILE_LINES if module.is_in("tests") else FILE_LINES
        lines = len(module.text.splitlines())
        if lines > limit:
            yield module.at(module.tree, f"the file has {lines} lines, over {limit}")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    yield module.at(node, f"{node.name} has {lines} lines, over {FUNCTION_LINES}")


# Names that Django and Jinja give to every template; what they hold are not facts.
NOT_FACTS = {"loop", "request", "form", "self"}


def templates_reach_one_dot(tree: Tree) -> Iterator[str]:
    """`{{ entry.title }}`, not `{{ entry.version.item.title }}`: a fact arrives ready to be shown."""
    environment = jinja2.Environment(autoescape=True, extensions=["jinja2.ext.do"])
    for path, text in tree.templates.items():
        for node in environment.parse(text).find_all(nodes.Getattr):
            owner, names = node.node, [node.attr]
            while isinstance(owner, nodes.Getattr | nodes.Getitem):
                names.insert(0, owner.attr if isinstance(owner, nodes.Getattr) else "[]")
                owner = owner.node
            reaches = len([name for name in names if name != "[]"]) > 1
            if reaches and not (isinstance(owner, nodes.Name) and owner.name in NOT_FACTS):
                start = owner.name if isinstance(owner, nodes.Name) else "…"
                yield f"{path}:{node.lineno}: {start}.{'.'.join(names)} reaches more than one dot"


def models_say_how_they_are_guarded(tree: Tree) -> Iterator[str]:
    """The triggers are generated from each model's `guard`; a table without one would go unwatched."""
    for module in tree.modules:
        if not module.is_kind("models"):
            continue
        guarded: set[str] = set()
        known: set[str] = set()
        for model in module.tree.body:
            if not isinstance(model, ast.ClassDef):
                continue
            bases = {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in model.bases}
            if not (
                bases & known or any(base.endswith(("Model", "AbstractBaseUser", "AbstractUser")) for base in bases)
            ):
                continue
            known.add(model.name)
            if "guard" in _class_attributes(model) or bases & guarded:
                guarded.add(model.name)
            elif not _is_abstract(model):
                yield module.at(model, f"{model.name} does not declare its guard")


def _class_attributes(model: ast.ClassDef) -> set[str]:
    assigned = [node.targets for node in model.body if isinstance(node, ast.Assign)]
    assigned += [[node.target] for node in model.body if isinstance(node, ast.AnnAssign) and node.value]
    return {target.id for targets in assigned for target in targets if isinstance(target, ast.Name)}


def _is_abstract(model: ast.ClassDef) -> bool:
    metas = [node for node in model.body if isinstance(node, ast.ClassDef) and node.name == "Meta"]
    return any(ast.unparse(line) == "abstract = True" for meta in metas for line in meta.body)


SIGNALS = ("django.db.models.signals", "django.dispatch", "django.core.signals")


def nothing_happens_behind_a_write(tree: Tree) -> Iterator[str]:
    """No signals and no overridden save or delete: an action says all that it does."""
    for module in tree.modules:
        if not module.is_in("joinery"):
            continue
        for node, name in module.imports():
            if name.startswith(SIGNALS):
                yield module.at(node, f"{name}: there are no signals here")
        if module.is_kind("models"):
            for node in ast.walk(module.tree):
                if isinstance(node, ast.FunctionDef) and node.name in {"save", "delete"}:
                    yield module.at(node, f"{node.name} is overridden; write it in an action")


RULES: tuple[Rule, ...] = (
    only_doors_are_imported,
    calculations_belong_to_one_app,
    action_entries_stay_in_base,
    models_are_written_in_actions,
    nothing_is_imported_by_name,
    time_is_passed_in,
    foreign_keys_point_upstream,
    facts_are_of_a_known_kind,
    views_use_no_row_facts,
    functions_and_files_are_short,
    templates_reach_one_dot,
    models_say_how_they_are_guarded,
    nothing_happens_behind_a_write,
)
