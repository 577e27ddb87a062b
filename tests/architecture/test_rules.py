"""The house keeps its rules; and each rule catches a planted violation, and leaves the innocent alone."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.architecture import rules
from tests.architecture.source import Tree, read_tree


class Plant(NamedTuple):
    """One file of a small tree, with what a rule must say or must not say of it."""

    rule: rules.Rule
    path: str
    text: str


ACTIONS = "joinery/apps/record/actions.py"
FACTS = "joinery/apps/record/facts.py"
MODELS = "joinery/apps/record/models.py"
VIEWS = "joinery/apps/record/views.py"
TEMPLATE = "joinery/apps/record/templates/record/person.html"
CALC = "joinery/calc/units.py"
SITE = "joinery/site/cli.py"

VIOLATIONS = (
    Plant(rules.only_doors_are_imported, ACTIONS, "from joinery.apps.place.models import Organisation"),
    Plant(rules.only_doors_are_imported, ACTIONS, "from joinery.apps.place import models"),
    Plant(rules.only_doors_are_imported, ACTIONS, "from ..place import models"),
    Plant(rules.only_doors_are_imported, ACTIONS, "from joinery.apps import place"),
    Plant(rules.only_doors_are_imported, ACTIONS, "from joinery.apps.place import *"),
    Plant(rules.only_doors_are_imported, ACTIONS, "import joinery.apps.place.views"),
    Plant(rules.only_doors_are_imported, ACTIONS, "from joinery.apps.base.models import User"),
    Plant(rules.only_doors_are_imported, SITE, "def run():\n    from joinery.apps.record.models import Person"),
    Plant(
        rules.calculations_belong_to_one_app,
        "joinery/apps/care/actions.py",
        "from joinery.calc.linkage import score",
    ),
    Plant(rules.action_entries_stay_in_base, ACTIONS, "from joinery.apps.base.models import ActionEntry"),
    Plant(rules.action_entries_stay_in_base, ACTIONS, "action.ActionEntry.objects.all()"),
    Plant(rules.action_entries_stay_in_base, MODELS, "models.ForeignKey('base.ActionEntry', models.PROTECT)"),
    Plant(rules.models_are_written_in_actions, VIEWS, "Person.objects.create(id='1')"),
    Plant(rules.models_are_written_in_actions, VIEWS, "Person.objects.bulk_create(people)"),
    Plant(rules.models_are_written_in_actions, VIEWS, "Person.objects.get_or_create(id='1')"),
    Plant(rules.models_are_written_in_actions, VIEWS, "rows.update(dead=True)"),
    Plant(rules.models_are_written_in_actions, VIEWS, "rows.delete()"),
    Plant(rules.models_are_written_in_actions, VIEWS, "async def f(): await person.asave()"),
    Plant(rules.models_are_written_in_actions, VIEWS, "person.save(update_fields=['dead'])"),
    Plant(rules.models_are_written_in_actions, FACTS, "cursor.execute('DELETE FROM record_person')"),
    Plant(rules.models_are_written_in_actions, FACTS, "cursor.execute('UPDATE record_person SET dead = 1')"),
    Plant(rules.models_are_written_in_actions, FACTS, "execute(f'UPDATE {table} SET dead = 1')"),
    Plant(rules.models_are_written_in_actions, FACTS, "STATEMENT = f'INSERT INTO {table} VALUES (1)'"),
    Plant(
        rules.models_are_written_in_actions,
        SITE,
        "from joinery.apps.base.columns import insert_rows as put\nput(m, c, r)",
    ),
    Plant(
        rules.models_are_written_in_actions,
        SITE,
        "from joinery.apps.base import columns\ncolumns.insert_rows(m, c, r)",
    ),
    Plant(rules.nothing_is_imported_by_name, VIEWS, "apps.get_model('record', 'Person')"),
    Plant(rules.nothing_is_imported_by_name, VIEWS, "import importlib"),
    Plant(rules.nothing_is_imported_by_name, VIEWS, "from importlib import import_module"),
    Plant(rules.nothing_is_imported_by_name, SITE, "__import__('joinery.apps.care')"),
    Plant(
        rules.nothing_is_imported_by_name,
        SITE,
        "from django.utils.module_loading import import_string\nimport_string('joinery.apps.care.Plan')",
    ),
    Plant(rules.time_is_passed_in, CALC, "import datetime\ndatetime.datetime.now(datetime.UTC)"),
    Plant(rules.time_is_passed_in, CALC, "from datetime import date as day\nday.today()"),
    Plant(rules.time_is_passed_in, CALC, "from time import time\ntime()"),
    Plant(rules.time_is_passed_in, MODELS, "from django.utils import timezone\nF(default=timezone.now)"),
    Plant(rules.time_is_passed_in, MODELS, "models.DateTimeField(auto_now_add=True)"),
    Plant(rules.time_is_passed_in, FACTS, "from django.db.models.functions import Now\nNow()"),
    Plant(rules.foreign_keys_point_upstream, MODELS, "plan = models.ForeignKey('care.Plan', models.PROTECT)"),
    Plant(rules.foreign_keys_point_upstream, MODELS, "plans = ManyToManyField(to='care.Plan')"),
    Plant(rules.facts_are_of_a_known_kind, FACTS, "def people(viewing: Viewing): ..."),
    Plant(rules.facts_are_of_a_known_kind, FACTS, "@place_facts\n@row_facts\ndef people(): ..."),
    Plant(rules.facts_are_of_a_known_kind, FACTS, "@person_facts\ndef people(person_id, viewing: Viewing): ..."),
    Plant(rules.facts_are_of_a_known_kind, FACTS, "@person_facts\ndef people(viewing): ..."),
    Plant(rules.facts_are_of_a_known_kind, FACTS, "@place_facts\ndef people(viewing: Viewing): ..."),
    Plant(rules.facts_are_of_a_known_kind, "joinery/apps/record/facts/people.py", "def people(): ..."),
    Plant(rules.functions_and_files_are_short, CALC, "def f():\n" + "    x = 1\n" * 70),
    Plant(rules.functions_and_files_are_short, CALC, "x = 1\n" * 601),
    Plant(rules.functions_and_files_are_short, "tests/calc/test_units.py", "x = 1\n" * 801),
    Plant(rules.templates_reach_one_dot, TEMPLATE, "{{ entry.version.submission }}"),
    Plant(rules.templates_reach_one_dot, TEMPLATE, "{% for line in page.person.lines %}{{ line }}{% endfor %}"),
    Plant(rules.templates_reach_one_dot, TEMPLATE, "{% if entry.versions[0].at %}new{% endif %}"),
    Plant(rules.models_say_how_they_are_guarded, MODELS, "class Person(models.Model): ..."),
    Plant(rules.models_say_how_they_are_guarded, MODELS, "class User(AbstractBaseUser):\n    name = 1"),
    Plant(
        rules.models_say_how_they_are_guarded,
        "joinery/apps/record/models/person.py",
        "class Dated(models.Model):\n    class Meta:\n        abstract = True\nclass Person(Dated): ...",
    ),
    Plant(rules.nothing_happens_behind_a_write, ACTIONS, "from django.db.models.signals import post_save"),
    Plant(rules.nothing_happens_behind_a_write, ACTIONS, "from django.dispatch import receiver"),
    Plant(rules.nothing_happens_behind_a_write, MODELS, "class P(models.Model):\n    def save(self): ..."),
)

INNOCENT = (
    Plant(rules.only_doors_are_imported, ACTIONS, "from joinery.apps.place.facts import standing"),
    Plant(rules.only_doors_are_imported, ACTIONS, "from joinery.apps.record.models import Person"),
    Plant(rules.only_doors_are_imported, ACTIONS, "from joinery.apps.base.action import Actor, action"),
    Plant(rules.only_doors_are_imported, ACTIONS, "from .models import Person"),
    Plant(rules.only_doors_are_imported, SITE, "from joinery.apps.record import urls"),
    Plant(rules.only_doors_are_imported, SITE, "from joinery.apps.base import seal, triggers"),
    Plant(rules.calculations_belong_to_one_app, ACTIONS, "from joinery.calc.linkage import score"),
    Plant(rules.action_entries_stay_in_base, "joinery/apps/base/action.py", "ActionEntry.objects.create(at=at)"),
    Plant(rules.models_are_written_in_actions, ACTIONS, "Person.objects.create(id='1')"),
    Plant(rules.models_are_written_in_actions, "joinery/apps/record/actions/take.py", "person.save()"),
    Plant(
        rules.models_are_written_in_actions,
        VIEWS,
        "found.update(other)\nrequest.session.save()\ncache.delete('k')",
    ),
    Plant(rules.models_are_written_in_actions, VIEWS, "image.save(path)\nQUESTION = 'UPDATE the record?'"),
    Plant(rules.nothing_is_imported_by_name, SITE, "from importlib import resources\nimport importlib.metadata"),
    Plant(
        rules.nothing_is_imported_by_name,
        "joinery/apps/record/migrations/0002.py",
        "apps.get_model('a', 'B')",
    ),
    Plant(rules.time_is_passed_in, SITE, "from django.utils import timezone\ntimezone.now()"),
    Plant(rules.time_is_passed_in, CALC, "from datetime import datetime\nnow = at\ndatetime.fromisoformat(text)"),
    Plant(
        rules.foreign_keys_point_upstream,
        MODELS,
        "at = models.ForeignKey('place.Organisation', models.PROTECT)",
    ),
    Plant(rules.foreign_keys_point_upstream, MODELS, "person = models.ForeignKey('Person', models.PROTECT)"),
    Plant(rules.facts_are_of_a_known_kind, FACTS, "@person_facts\ndef people(viewing: Viewing, limit: int): ..."),
    Plant(rules.facts_are_of_a_known_kind, FACTS, "@place_facts\ndef sources(): ...\ndef _rows(): ..."),
    Plant(rules.functions_and_files_are_short, CALC, "def f():\n" + "    x = 1\n" * 69),
    Plant(rules.templates_reach_one_dot, TEMPLATE, "{{ entry.title }}{{ rows[0].title }}{{ request.user.name }}"),
    Plant(rules.models_say_how_they_are_guarded, MODELS, "class Person(models.Model):\n    guard = Captured()"),
    Plant(rules.models_say_how_they_are_guarded, MODELS, "class Manager(BaseUserManager['User']): ..."),
    Plant(rules.nothing_happens_behind_a_write, SITE, "class Form:\n    def save(self): ..."),
)


def found(rule: rules.Rule, root: Path, files: dict[str, str]) -> list[str]:
    """What a rule says of a tree that holds these files alone."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    return list(rule(read_tree(root)))


def name(plant: Plant) -> str:
    return f"{plant.rule.__name__}: {plant.text[:60]}"


@pytest.fixture(scope="module")
def house() -> Tree:
    return read_tree(rules.ROOT)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule: rules.Rule, house: Tree) -> None:
    violations = list(rule(house))
    assert not violations, "\n" + "\n".join(violations)


@pytest.mark.parametrize("plant", VIOLATIONS, ids=name)
def test_a_planted_violation_is_caught(plant: Plant, tmp_path: Path) -> None:
    assert found(plant.rule, tmp_path, {plant.path: plant.text})


@pytest.mark.parametrize("plant", INNOCENT, ids=name)
def test_the_innocent_are_left_alone(plant: Plant, tmp_path: Path) -> None:
    assert found(plant.rule, tmp_path, {plant.path: plant.text}) == []


@pytest.mark.parametrize(
    "view",
    [
        "from joinery.apps.record.facts import stays",
        "from joinery.apps.record import facts\nfacts.stays()",
        "from joinery.apps.record.facts.stays import stays as rows",
    ],
)
def test_a_view_that_uses_row_facts_is_caught(view: str, tmp_path: Path) -> None:
    facts = "@row_facts\ndef stays(): ...\n@place_facts\ndef sources(): ..."
    files = {"joinery/apps/record/facts/stays.py": facts, "joinery/site/views/board.py": view}
    assert found(rules.views_use_no_row_facts, tmp_path, files)


def test_a_view_may_use_the_other_facts(tmp_path: Path) -> None:
    files = {
        FACTS: "@place_facts\ndef sources(): ...",
        VIEWS: "from joinery.apps.record.facts import sources",
    }
    assert found(rules.views_use_no_row_facts, tmp_path, files) == []


def test_every_rule_has_a_planted_violation() -> None:
    planted = {plant.rule for plant in VIOLATIONS} | {rules.views_use_no_row_facts}
    assert planted == set(rules.RULES)
