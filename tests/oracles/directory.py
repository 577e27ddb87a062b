"""The directory as plain lists: what was said, by which edition, and when that came to count.

Every question is answered by going through everything that was ever said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from joinery.calc.succession import Edge
from tests.oracles import succession

SINGLE = ("open", "name", "form")


@dataclass(frozen=True)
class Said:
    """One thing said of a body: a value, or another body for a relation."""

    edition: int
    body: str
    kind: str
    value: str
    target: str
    start: date
    end: date | None = None
    withdrawn: bool = False
    areas: frozenset[str] = frozenset()

    @property
    def key(self) -> tuple[object, ...]:
        return (self.body, self.kind, self.value, self.target, self.start)

    def holds(self, on: date) -> bool:
        return self.start <= on and (self.end is None or on < self.end)


@dataclass
class Directory:
    """What was said, and the editions in the order in which they were adopted."""

    said: list[Said] = field(default_factory=list)
    adopted: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class View:
    """A way of looking at a directory: what counted when `known` editions had been adopted, and a draft."""

    directory: Directory
    known: int
    draft: int | None = None

    def order(self, said: Said) -> int:
        """Its edition's place in the order of adoption; a draft that is looked through comes last."""
        order = self.directory.adopted
        return order.index(said.edition) if said.edition in order else len(order)

    def counting(self) -> list[Said]:
        editions = {*self.directory.adopted[: self.known], self.draft}
        seen = [said for said in self.directory.said if said.edition in editions]
        newest = [
            said
            for said in seen
            if not any(other.key == said.key and self.order(other) > self.order(said) for other in seen)
        ]
        return [said for said in newest if not said.withdrawn]

    def of(self, body: str, kind: str) -> list[Said]:
        return [said for said in self.counting() if (said.body, said.kind) == (body, kind)]

    def value(self, body: str, kind: str, on: date) -> str:
        """What holds, the latest to begin; else the last that held; else what was said last of the future."""
        said = self.of(body, kind)
        for choice in ([s for s in said if s.holds(on)], [s for s in said if s.start <= on]):
            if choice:
                return max(choice, key=lambda s: (s.start, self.order(s))).value
        return max(said, key=self.order).value if said else ""

    def life(self, body: str) -> tuple[date | None, date | None]:
        lives = self.of(body, "open")
        ends = [life.end for life in lives if life.end is not None]
        begins = min((life.start for life in lives), default=None)
        return begins, max(ends) if ends and len(ends) == len(lives) else None

    def is_open(self, body: str, on: date) -> bool:
        begins, ends = self.life(body)
        return (begins is None or begins <= on) and (ends is None or on < ends)

    def ends(self) -> dict[str, date]:
        bodies = {said.body for said in self.counting()}
        return {body: end for body in bodies if (end := self.life(body)[1]) is not None}

    def edges(self) -> list[Edge]:
        said = [s for s in self.counting() if s.kind == "succeeded_by"]
        return [Edge(s.body, s.target, s.start, not s.areas, s.areas) for s in said]

    def heir(self, body: str, on: date, about: str) -> str | None:
        return succession.heir(self.ends(), self.edges(), body, on, frozenset({about}))

    def parents(self, body: str, on: date) -> set[tuple[str, bool]]:
        """What a body is part of; with the body that is no more where nobody has decided what took over."""
        targets = {said.target for said in self.of(body, "part_of") if said.holds(on)}
        found = {target: self.heir(target, on, body) for target in targets}
        return {(heir or target, heir is None) for target, heir in found.items() if heir != body}

    def children(self, body: str, on: date) -> set[str]:
        """What is part of a body; of one that is no more, what nobody has decided about."""
        bodies = {said.body for said in self.counting()} - {body}
        return {
            each
            for each in bodies
            if body in {parent for parent, _ in self.parents(each, on)}
            and not (each in self.ends() and self.ends()[each] <= on)
        }

    def responsible(self, area: str, on: date) -> set[str]:
        """The bodies that cover an area, what they are part of, and so on outwards; all of them open."""
        todo = {s.body for s in self.counting() if (s.kind, s.value) == ("area", area) and s.holds(on)}
        found: set[str] = set()
        while todo:
            stand = {heir for body in todo if (heir := self.heir(body, on, area)) and self.is_open(heir, on)}
            todo = {s.target for body in stand - found for s in self.of(body, "part_of") if s.holds(on)}
            found |= stand
        return found

    def successions(self, body: str, on: date, onward: bool) -> set[tuple[str, str, date]]:
        """Every succession from a body on, or that led to it."""
        edges = [(e.body, e.successor, e.on) for e in self.edges() if e.on <= on]
        reached, found = {body}, set[tuple[str, str, date]]()
        for _ in edges:
            found |= {edge for edge in edges if edge[0 if onward else 1] in reached}
            reached |= {edge[1 if onward else 0] for edge in found}
        return found
