"""`joinery take`."""

from __future__ import annotations

import argparse
import gc
from dataclasses import asdict
from pathlib import Path
from typing import Any

from joinery.site.commands import Problem, make_ready, say

COUNTS = ("rows", "taken", "unchanged", "superseded", "quarantined")


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Take each file; a file that cannot be read as a whole is said, and the others are still taken."""
    make_ready()
    from django.utils import timezone

    from joinery.apps.base.action import Actor, Refused
    from joinery.site.taking import take

    spare_collector()
    actor, at = Actor.system("command line"), timezone.now()
    sender = arguments.sender or _unnamed_sender(arguments.feed, actor, at)
    done, failed = [], []
    for path in in_order(arguments.files, arguments.feed):
        try:
            taken = take(path=path, feed=arguments.feed, sender=sender, actor=actor, at=at)
        except (Refused, OSError) as problem:
            failed.append({"file": path.name, "error": str(problem)})
            say(f"joinery: {problem}" if path.name in str(problem) else f"joinery: {path.name}: {problem}")
            continue
        done.append(asdict(taken))
        say(sentence(done[-1]))
        if taken.noted:
            say(f"  {taken.noted:,} of the rows break a rule that does not keep them out; see `joinery feeds`.")
        if taken.not_read:
            say(f"  not read, because these columns are not known: {', '.join(taken.not_read)}")
        for reason in taken.reasons:
            say(f"  quarantined: {reason}")
    totals = {name: sum(each[name] for each in done) for name in COUNTS}
    if len(done) != 1:
        say(sentence({"file": f"{len(done)} files"} | totals))
    return totals | {"files": done, "failed": failed}, 1 if failed else 0


def spare_collector() -> None:
    """Let Python look for cycles of garbage seldom: rows make none, and a file makes objects by the million."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def sentence(counts: dict[str, Any]) -> str:
    """What became of a file's rows, in words."""
    return (
        f"{counts['file']}: {counts['rows']:,} rows: {counts['taken']:,} taken, {counts['unchanged']:,} unchanged, "
        f"{counts['superseded']:,} superseded, {counts['quarantined']:,} quarantined"
    )


def in_order(given: list[Path], feed: str) -> list[Path]:
    """The files given, and those in folders given, in the order in which they are taken."""
    from joinery.apps.base.feeds import feed_of

    endings = feed_of(feed).endings
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in endings and p.is_file())
            if not inside:
                raise Problem(f"{path} holds no files for the {feed} feed ({', '.join(endings)}).")
            found += [p for p in inside if not p.name.endswith("manifest.json")]
        elif path.is_file():
            found.append(path)
        else:
            raise Problem(f"There is no file {path}.")
    # People first: their details decide who is who before anything is filed under them.
    return sorted(found, key=lambda p: p.stem != "person") if feed == "council" else found


def _unnamed_sender(feed: str, actor: Any, at: Any) -> str:
    """A file taken without `--from` comes from a sender that is not named yet."""
    from joinery.apps.base.action import one_at_a_time
    from joinery.apps.base.feeds import feed_of
    from joinery.apps.place.actions import OrganisationDetails, register_organisation
    from joinery.apps.place.facts import as_at, organisation

    if feed_of(feed).store == "directory":
        return ""
    form = "council" if feed in ("council", "cld") else "health_service"
    code = f"UNNAMED-{feed.upper()}"
    details = OrganisationDetails(code, f"Unnamed sender ({feed})", form)
    with one_at_a_time("unnamed-sender"):  # two takes may begin at once
        if organisation(code, as_at(at.date())) is None:
            register_organisation(details=details, actor=actor, at=at)
    return code
