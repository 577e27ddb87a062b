"""Linking the whole place at once: every record compared with every other, by Splink, on one model.

At arrival each record is compared with everybody already, to the same score. This is for what that cannot
do: learning a model from the place's own records, and comparing all of them anew by it.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joinery.apps.base.action import Actor, Refused, action, one_at_a_time
from joinery.apps.base.columns import in_runs, select
from joinery.apps.record.actions.intake import sweep_drafts
from joinery.apps.record.actions.keys import anything_to_remake, remake_compared
from joinery.apps.record.actions.linking import Found, by_rung, by_score, changed_events, insert_events, relink
from joinery.apps.record.compared import linking_model, model_text, outdated_model, said_now
from joinery.apps.record.models import LinkModel, Submission
from joinery.apps.record.pairs import MACHINE, Pair, Statement, held_events, waiting_count
from joinery.apps.record.sql import links
from joinery.calc.linkage.fields import FIELDS, Fields
from joinery.calc.linkage.ladder import ladder_pairs
from joinery.calc.linkage.model import Model

BATCH_RECORDS = 1_000
# Fewer records than this tell too little of how often people's details go wrong: the model that ships is used.
LEAST_TO_TRAIN = 5_000


@dataclass(frozen=True, slots=True)
class LinkRun:
    """What linking the whole place came to. Pairs are counted by what holds now, people before and after."""

    model: str
    records: int
    same: int
    unsure: int
    apart: int
    changed: int
    waiting: int
    people_before: int
    people: int
    moved: int
    warnings: tuple[str, ...] = ()


def run_linking(*, actor: Actor, at: datetime, train: bool = False) -> LinkRun:
    """Compare every record with every other, keep what is new as events, and work out anew who is who.

    With `train` the place's own records make a new model first. Safe to repeat, safe to kill. Raises
    Refused when there are too few records to train on, or training went wrong; nothing is kept then.
    """
    from joinery.calc.linkage import batch  # Splink is slow to load
    from joinery.calc.linkage.blocking import Files

    with one_at_a_time("intake", wait=actor.user_id is None):
        sweep_drafts(actor=actor, at=at)
        remake_compared(actor=actor, at=at)
        said = list(said_now(BATCH_RECORDS))
        files = Files([_table([fields for _, fields in said])])
        warnings: tuple[str, ...] = ()
        if train:
            if len(said) < LEAST_TO_TRAIN:
                raise Refused(
                    "few_records", f"{len(said):,} records are too few to train on: it takes {LEAST_TO_TRAIN:,}."
                )
            try:
                trained = batch.train(files, name=f"place {at:%Y-%m-%d %H:%M}", rules=linking_model().rules)
            except batch.Untrained as untrained:
                raise Refused("untrained", str(untrained)) from None
            if trained.warnings:
                raise Refused("untrained", " ".join(["The model in use stays:", *trained.warnings]))
            keep_model(text=trained.text, actor=actor, at=at)
        elif outdated_model():
            warnings = ("Another version made the place's own model; the one that ships is used. See --train.",)
        model = linking_model()
        found = _found(model, said, batch.pairs(model_text(), files))
        return _keep(model, said, found, warnings, actor, at)


def link_missing(*, actor: Actor, at: datetime) -> LinkRun | None:
    """Link the whole place where details are not kept as this version compares them: after an upgrade.

    None when there was nothing to do.
    """
    if not anything_to_remake():
        return None
    return run_linking(actor=actor, at=at)


@action("record.link_model")
def keep_model(*, text: str, actor: Actor, at: datetime) -> None:
    """Keep a model that the place trained: from now on it is the one."""
    name = json.loads(text)["name"]
    LinkModel.objects.create(
        name=name, text=text, digest=hashlib.sha256(text.encode()).hexdigest(), made_by=actor.name, at=at
    )


def _table(said: Sequence[Fields]) -> Any:
    import pyarrow as pa

    from joinery.calc.linkage.fields import columns

    texts = {name: pa.array([getattr(fields, name) for fields in said], pa.string()) for name in FIELDS}
    table = columns(pa.table(texts))
    for name in (name for name in FIELDS if name not in table.column_names):
        table = table.append_column(name, pa.nulls(len(table), pa.string()))  # the model compares it all the same
    return table


def _found(model: Model, said: Sequence[tuple[Statement, Fields]], scored: Any) -> dict[Pair, Found]:
    """What the ladder and the model say of all pairs of records; where the ladder speaks, the score need not."""
    found: dict[Pair, Found] = {}
    for left, right in zip(scored["left"].to_pylist(), scored["right"].to_pylist(), strict=True):
        (one, a), (other, b) = said[left], said[right]
        pair = min(one.record_id, other.record_id), max(one.record_id, other.record_id)
        found[pair] = by_score(model, model.score(a, b))
    of_number: dict[str, list[Statement]] = defaultdict(list)
    for statement, _ in said:
        if statement.nhs_number:
            of_number[statement.nhs_number].append(statement)
    for alike in of_number.values():
        for rung in ladder_pairs([s.details for s in alike]):
            a, b = sorted((alike[rung.left].record_id, alike[rung.right].record_id))
            found[a, b] = by_rung(rung)
    return found


def _keep(
    model: Model,
    said: Sequence[tuple[Statement, Fields]],
    found: Mapping[Pair, Found],
    warnings: tuple[str, ...],
    actor: Actor,
    at: datetime,
) -> LinkRun:
    """Stage what is new in runs of records, publish it by one row, and say what it came to."""
    before = _people()
    submission_id = open_linking(actor=actor, at=at)
    by_first: dict[int, dict[Pair, Found]] = defaultdict(dict)
    for pair, each in found.items():
        by_first[pair[0]][pair] = each
    changed: set[int] = set()
    events = 0
    for run in _runs(sorted(statement.record_id for statement, _ in said)):
        mine = {pair: each for record in run for pair, each in by_first[record].items()}
        new = stage_events(submission_id=submission_id, found=mine, records=set(run), actor=actor, at=at)
        events += len(new)
        changed |= {record for pair in new for record in pair}
    moved = 0
    for run in _runs(sorted(changed)):
        wanted = changed.intersection(run)  # less those that an earlier run has dealt with
        if wanted:
            done, gone = stage_links(submission_id=submission_id, records=wanted, actor=actor, at=at)
            changed -= done
            moved += gone
    publish_linking(submission_id=submission_id, rows=events, actor=actor, at=at)
    verdicts = [each.verdict for each in found.values()]
    return LinkRun(
        model=model.name,
        records=len(said),
        same=verdicts.count("same"),
        unsure=verdicts.count("unsure"),
        apart=verdicts.count("apart"),
        changed=events,
        waiting=waiting_count(),
        people_before=before,
        people=_people(),
        moved=moved,
        warnings=warnings,
    )


@action("record.open_linking")
def open_linking(*, actor: Actor, at: datetime) -> int:
    """A submission of ours that nothing reads yet; returns its id."""
    return Submission.objects.create(source_id=None, part="link", file_name="", file_digest="", received_at=at).pk


@action("record.stage_events", targets=("submission_id",))
def stage_events(
    *, submission_id: int, found: Mapping[Pair, Found], records: Collection[int], actor: Actor, at: datetime
) -> list[Pair]:
    """Stage what is not as it is held of the pairs that begin with these records; returns those pairs."""
    held = [h for h in held_events(records, submission_id) if h.channel in MACHINE and h.pair[0] in records]
    events = changed_events(found, held)
    insert_events(submission_id, at, events, made_by="system:linkage")
    return [pair for pair, _ in events]


@action("record.stage_links", targets=("submission_id",))
def stage_links(*, submission_id: int, records: Collection[int], actor: Actor, at: datetime) -> tuple[set[int], int]:
    """Stage who these records and all tied to them are about; returns the records dealt with, and how many moved."""
    done, moved = relink(submission_id, at, records)
    return done, len(moved)


@action("record.publish_linking", targets=("submission_id",))
def publish_linking(*, submission_id: int, rows: int, actor: Actor, at: datetime) -> None:
    """Make all of it count, by one row."""
    Submission.objects.filter(pk=submission_id, published_at=None).update(published_at=at, rows=rows, taken=rows)


def _runs(records: Sequence[int]) -> Iterator[list[int]]:
    return in_runs(records, BATCH_RECORDS, BATCH_RECORDS + 1, lambda record: 1)


def _people() -> int:
    return int(select(f"SELECT COUNT(DISTINCT k.person_id) FROM {links()}")[0][0])
