"""Every model and every code of the closed lists stands in GLOSSARY.md, in the order of the alphabet."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.docs.pages import ROOT

WORDS = (ROOT / "GLOSSARY.md").read_text("utf-8")


def models() -> Iterator[str]:
    from joinery.apps.base.triggers import guarded_models

    yield from (model.__name__ for model in guarded_models())


def codes() -> Iterator[str]:
    from joinery.apps.base.access_log import WHAT, WHY
    from joinery.apps.care.states import REFERRAL
    from joinery.apps.place.kinds import FORMS, KINDS
    from joinery.apps.place.models import EDITION
    from joinery.apps.privacy.models import PrivacyAnswer, PrivacyTask
    from joinery.apps.record.actions.intake import FEEDS
    from joinery.apps.record.actions.staging import OUTCOMES
    from joinery.apps.record.actions.viewing import REFUSALS
    from joinery.apps.record.banners import BANNERS
    from joinery.apps.record.facts import SECTORS
    from joinery.apps.record.models import SUBMISSION
    from joinery.calc.access import REASONS, ROLES, SENSITIVITIES, TASKS
    from joinery.calc.misuse import PATTERNS

    for each in (
        WHAT,
        WHY,
        FEEDS,
        OUTCOMES,
        REFUSALS,
        SECTORS,
        SUBMISSION.all(),
        EDITION.all(),
        KINDS,
        FORMS,
        REFERRAL.all(),
    ):
        yield from each
    yield from (*ROLES, *SENSITIVITIES, *TASKS, *REASONS, *REASONS.values())
    yield from (*PrivacyTask.Kind.values, *PrivacyAnswer.Verdict.values, *PATTERNS)
    yield from (word for banner, (_, state) in BANNERS.items() for word in (banner, state))
    yield "not_received"
    yield from given("joinery/apps/record/rows.py", "Moment", 1)
    yield from given("joinery/calc/access.py", "Decision", 1)


def given(path: str, call: str, position: int) -> Iterator[str]:
    """The words that a module passes to a call, as its argument at a position."""
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == call and len(node.args) > position:
            word = node.args[position]
            if isinstance(word, ast.Constant) and isinstance(word.value, str):
                yield word.value


@pytest.mark.parametrize("kind", [models, codes])
def test_every_name_is_explained(kind) -> None:  # type: ignore[no-untyped-def]
    names = set(kind())
    assert len(names) > 10
    assert sorted(name for name in names if f"`{name}`" not in WORDS) == []


def test_the_words_stand_in_order() -> None:
    terms = [term.casefold() for term in re.findall(r"^- \*\*(.+?)\*\*", WORDS, re.MULTILINE)]
    assert terms == sorted(terms)
