"""Draw the house from its real imports: `make map` writes docs/house.svg; a test says when it is stale.

Rooms are packages, an arrow is an import that exists, and its tooltip says how many modules import so.
Line counts keep two figures only, so that the picture does not change with every line.
"""

from __future__ import annotations

import sys
import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "house.svg"

WIDTH, LEFT, RIGHT, GAP = 1000, 118, 10, 40
ROOM_HEIGHT, STOREY_HEIGHT, TOP = 84, 176, 118
FONT = "font-family='Arial, Helvetica, sans-serif'"

# Storeys from the top down: package, what it does, the colour of its rooms (fill, edge).
STOREYS = (
    ("site", "shows", "#e8edee", "#425563"),
    ("apps", "remember", "#e6f0fa", "#005eb8"),
    ("calc", "calculates", "#e5f5ec", "#006747"),
    ("definitions", "are data", "#fff6d6", "#8a6100"),
)
# The site has no rooms of its own but these; whatever else is in it makes the pages.
SITE_ROOMS = {"commands": "command line", "demo": "demo place"}
PAGES = "pages and settings"


@dataclass(slots=True)
class Room:
    """A box: where it stands and what is written in it. Lines are counted in Python files."""

    storey: int
    name: str
    words: str
    x: float = 0
    width: float = 0
    out: list[str] = field(default_factory=list)

    @property
    def y(self) -> float:
        return TOP + self.storey * STOREY_HEIGHT

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


def room_of(module: str) -> str | None:
    """The room that a module stands in: `apps/record`, `calc/units`, `site/demo`, `site/`; None for a package's
    own empty module."""
    parts = module.split(".")[1:]
    if not parts:
        return None
    storey, below = parts[0], parts[1:]
    if storey == "__main__":
        return "site/commands"
    if storey == "site":
        return f"site/{below[0]}" if below and below[0] in SITE_ROOMS else "site/"
    if storey == "definitions":
        return "definitions/"
    return f"{storey}/{below[0]}" if below else None


def imports() -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """Lines of Python by room, and by pair of rooms how many modules of the first import from the second."""
    sys.path.insert(0, str(ROOT))
    graph = grimp.build_graph("joinery", cache_dir=None)
    lines: Counter[str] = Counter()
    arrows: Counter[tuple[str, str]] = Counter()
    for module in sorted(graph.modules):
        room = room_of(module)
        if room is None:
            continue
        lines[room] += line_count(module)
        others = {room_of(other) for other in graph.find_modules_directly_imported_by(module)}
        arrows.update((room, other) for other in others - {room, None} if other)
    return lines, arrows


def line_count(module: str) -> int:
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return len(path.read_text("utf-8").splitlines())


def about(number: int) -> str:
    """A number to two figures: 1,843 -> 1,800.

    >>> about(1843), about(67)
    ('1,800', '67')
    """
    return f"{round(number, 2 - len(str(number))):,}"


def river() -> list[str]:
    """Apps from upstream to downstream, as the import contract in pyproject.toml has them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["id"] == "river")
    return [layer.strip("()") for layer in reversed(layers)]


def furnish(lines: Counter[str]) -> dict[str, Room]:
    """Every room in its place: apps in river order, the rest by name."""
    order = {f"apps/{app}": place for place, app in enumerate(river())} | {
        "site/demo": 0,
        "site/commands": 1,
        "site/": 2,
    }
    rooms: dict[str, Room] = {}
    for number, (storey, *_) in enumerate(STOREYS):
        here = sorted((r for r in lines if r.startswith(f"{storey}/")), key=lambda r: (order.get(r, 0), r))
        width = (WIDTH - LEFT - RIGHT - (len(here) + 1) * GAP) / len(here)
        for place, room in enumerate(here):
            name = room.partition("/")[2]
            title, words = SITE_ROOMS.get(name, name) or PAGES, f"{about(lines[room])} lines"
            if storey == "definitions":
                data = [p for p in (ROOT / "joinery" / "definitions").rglob("*") if p.suffix in (".toml", ".json")]
                title = ", ".join(sorted({p.parent.name for p in data}))
                words = f"{len(data)} files of TOML and JSON"
            x = LEFT + GAP + place * (width + GAP)
            rooms[room] = Room(number, title, words, x, width)
    return rooms


def ports(rooms: dict[str, Room], arrows: Counter[tuple[str, str]]) -> dict[tuple[str, str, str], float]:
    """Where on its edge an arrow leaves (`out`) and enters (`in`) a room, so that arrows stand apart."""
    ends: dict[tuple[str, str], list[str]] = defaultdict(list)
    for a, b in arrows:
        if rooms[a].storey < rooms[b].storey:
            ends[a, "out"].append(b)
            ends[b, "in"].append(a)
    found = {}
    for (room, way), others in ends.items():
        others.sort(key=lambda other: (rooms[other].middle, rooms[other].storey))
        for place, other in enumerate(others, start=1):
            found[room, other, way] = rooms[room].x + rooms[room].width * place / (len(others) + 1)
    return found


def down(rooms: dict[str, Room], a: str, b: str, at: dict[tuple[str, str, str], float], lanes: Counter[float]) -> str:
    """The path of an arrow to a lower storey; past a storey between, through the nearest gap."""
    start, end = rooms[a], rooms[b]
    x, y = at[a, b, "out"], start.y + ROOM_HEIGHT
    target = at[b, a, "in"]
    path = f"M{x:.0f} {y:.0f}"
    for storey in range(start.storey + 1, end.storey):
        between = [room for room in rooms.values() if room.storey == storey]
        gaps = [room.x + room.width + GAP / 2 for room in between] + [between[0].x - GAP / 2]
        gap = min(gaps, key=lambda g: abs(g - x) + abs(g - target))
        lanes[gap + storey] += 1
        lane = gap + (0, -10, 10, -16, 16)[(lanes[gap + storey] - 1) % 5]
        top = TOP + storey * STOREY_HEIGHT
        bend = (top - y) * 0.5
        path += f"C{x:.0f} {y + bend:.0f} {lane:.0f} {top - bend:.0f} {lane:.0f} {top:.0f}V{top + ROOM_HEIGHT:.0f}"
        x, y = lane, top + ROOM_HEIGHT
    bend = (end.y - y) * 0.5
    return path + f"C{x:.0f} {y + bend:.0f} {target:.0f} {end.y - bend:.0f} {target:.0f} {end.y - 3:.0f}"


def along(a: Room, b: Room) -> str:
    """The path of an arrow within a storey: straight to a neighbour, over the roofs of those between."""
    leftward = b.x < a.x
    x, target = (a.x, b.x + b.width + 3) if leftward else (a.x + a.width, b.x - 3)
    if abs(x - target) < GAP + 1:
        y = a.y + ROOM_HEIGHT / 2
        return f"M{x:.0f} {y:.0f}H{target:.0f}"
    x, target = (a.x + 14, b.x + b.width - 14) if leftward else (a.x + a.width - 14, b.x + 14)
    return f"M{x:.0f} {a.y:.0f}C{x:.0f} {a.y - 34:.0f} {target:.0f} {a.y - 34:.0f} {target:.0f} {a.y - 3:.0f}"


def text(x: float, y: float, words: str, size: int, extra: str = "") -> str:
    return f"<text x='{x:.0f}' y='{y:.0f}' font-size='{size}' {extra}>{escape(words)}</text>"


def draw_rooms(rooms: dict[str, Room]) -> list[str]:
    drawn = []
    for number, (storey, words, fill, edge) in enumerate(STOREYS):
        y = TOP + number * STOREY_HEIGHT
        drawn.append(text(24, y + 38, storey, 18, f"font-weight='bold' fill='{edge}'"))
        drawn.append(text(24, y + 60, words, 15, f"fill='{edge}'"))
        for room in (room for room in rooms.values() if room.storey == number):
            drawn += [
                f"<rect x='{room.x:.0f}' y='{y}' width='{room.width:.0f}' height='{ROOM_HEIGHT}' rx='4' "
                f"fill='{fill}' stroke='{edge}' stroke-width='2'/>",
                text(room.middle, y + 38, room.name, 20, "text-anchor='middle' font-weight='bold'"),
                text(room.middle, y + 62, room.words, 15, "text-anchor='middle' fill='#425563'"),
            ]
    return drawn


def draw() -> str:
    """The picture as SVG."""
    lines, arrows = imports()
    rooms = furnish(lines)
    at, lanes = ports(rooms, arrows), Counter[float]()
    height = TOP + len(STOREYS) * STOREY_HEIGHT - (STOREY_HEIGHT - ROOM_HEIGHT) + 30
    said = sorted(f"{label(a)} imports {label(b)}" for a, b in arrows)
    paths = []
    for (a, b), count in sorted(arrows.items()):
        level = rooms[a].storey == rooms[b].storey
        path = along(rooms[a], rooms[b]) if level else down(rooms, a, b, at, lanes)
        colour = STOREYS[rooms[a].storey][3]
        modules = "1 module" if count == 1 else f"{count} modules"
        paths.append(
            f"<path d='{path}' fill='none' stroke='{colour}' stroke-width='2' marker-end='url(#arrow)'>"
            f"<title>{label(a)} imports {label(b)} ({modules})</title></path>"
        )
    middle = (LEFT + WIDTH - RIGHT) / 2
    roof = f"M{LEFT} {TOP - 26}L{middle:.0f} 18L{WIDTH - RIGHT} {TOP - 26}"
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' role='img' "
        f"aria-labelledby='title desc' {FONT} fill='#212b32'>",
        "<title id='title'>The house: storeys, rooms and the imports between them</title>",
        f"<desc id='desc'>Imports only go down. {'. '.join(said)}.</desc>",
        "<defs><marker id='arrow' viewBox='0 0 10 10' refX='8' refY='5' markerWidth='6' markerHeight='6' "
        "orient='auto'><path d='M0 0 10 5 0 10z' fill='#425563'/></marker></defs>",
        f"<rect width='{WIDTH}' height='{height}' fill='#ffffff'/>",
        f"<path d='{roof}' fill='none' stroke='#212b32' stroke-width='4' stroke-linejoin='round'/>",
        text(middle, 66, "Joinery", 26, "text-anchor='middle' font-weight='bold'"),
        text(middle, 88, "an arrow is an import, and imports only go down", 15, "text-anchor='middle' fill='#425563'"),
        *paths,
        *draw_rooms(rooms),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def label(room: str) -> str:
    """A room as the import names it: `apps.record`, `site.commands`."""
    return room.rstrip("/").replace("/", ".")


if __name__ == "__main__":
    TARGET.write_text(draw(), "utf-8")
    print(f"Wrote {TARGET.relative_to(ROOT)}.")
