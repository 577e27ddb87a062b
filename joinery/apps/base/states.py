"""States as a table: which may follow which, and what that means. Checked in one place, drawn in docs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class States:
    """The states of one kind of thing: `transitions` says in words what each permitted step means."""

    of: str
    initial: str
    transitions: Mapping[tuple[str, str], str]

    def all(self) -> tuple[str, ...]:
        """Every state, in the order in which the table names them."""
        return tuple(dict.fromkeys([self.initial, *(state for pair in self.transitions for state in pair)]))

    def move(self, now: str, to: str) -> str:
        """The state `to`, when the table permits it from `now`; otherwise Refused."""
        from joinery.apps.base.action import Refused  # here: the docs draw the tables without a deployment

        if (now, to) not in self.transitions:
            raise Refused("transition", f"A {self.of} that is {now} cannot become {to}.")
        return to

    def diagram(self) -> str:
        """The table as a Mermaid state diagram."""
        lines = [f"    {a} --> {b}: {words}" for (a, b), words in self.transitions.items()]
        return "\n".join(["stateDiagram-v2", f"    [*] --> {self.initial}", *lines])
