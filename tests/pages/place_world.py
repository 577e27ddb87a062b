"""A made-up corner of England for tests of the directory's pages: a council that faces two boards, a merger,
a split, a body of many predecessors, care homes that changed hands. It is a definition file, taken by the door.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from joinery.apps.base.action import Actor
from joinery.apps.place.actions import Taken, set_home, take_directory_file

COUNCIL, BOARD, OTHER_BOARD, MERGED, SPLIT, MANY, HOME_NOW, HOME_BEFORE = (
    "V01", "QV1", "QV2", "QV9", "VH1", "QVM", "1-900000002", "1-900000001",
)  # fmt: skip
LSOA, POSTCODE = "E01900001", "ZZ1 2AA"
LONG = "The Extraordinarily Long and Winding Name of a Partnership of Many Villages, Hamlets and Farms"
PREDECESSORS = 30

WORLD = """
title = "Vale"
certainty = "recalled"

[[organisation]]
code = "V01"
names = [{ name = "Vale Borough Council", to = 2009-04-01 }, { name = "Vale Council", from = 2009-04-01 }]
forms = [{ form = "district", to = 2009-04-01 }, { form = "unitary", from = 2009-04-01 }]
from = 1974-04-01
codes = { gss = "E06900001" }
faces = ["QV1", "QV2"]
lead = "Ruth Adeyemi"
certainty = "verified"
areas = ["E01900001", "E01900002"]

[[organisation]]
code = "VP1"
name = "Vale Place Partnership"
form = "place"
part_of = ["V01"]

[[organisation]]
code = "VN1"
name = "LONG NAME"
form = "neighbourhood"
part_of = ["VP1"]

[[organisation]]
code = "V09"
name = "Downs District Council"
form = "district"
from = 1974-04-01

[[organisation]]
code = "QV1"
name = "NHS Vale Integrated Care Board"
form = "icb"
from = 2022-07-01
to = 2026-04-01
part_of = ["Y99"]
roles = ["RO261", "RO318"]

[[organisation]]
code = "QV2"
name = "NHS Moor Integrated Care Board"
form = "icb"
from = 2022-07-01
part_of = ["Y99"]

[[organisation]]
code = "QV3"
name = "NHS Fen Integrated Care Board"
form = "icb"
from = 2022-07-01
to = 2026-04-01
part_of = ["Y99"]

[[organisation]]
code = "QV9"
name = "NHS Vale and Fen Integrated Care Board"
form = "icb"
from = 2026-04-01
part_of = ["Y99"]

[[organisation]]
code = "Y99"
name = "Middle Earth NHS region"
form = "region"

[[organisation]]
code = "VS1"
name = "Vale Surgery"
form = "gp_practice"
in_geography_of = ["V01"]
commissioned_by = ["QV1"]

[[organisation]]
code = "VH1"
name = "Vale and Downs Community Trust"
form = "community_trust"
from = 2013-04-01
to = 2025-10-01

[[organisation]]
code = "VH2"
name = "Vale Care Trust"
form = "care_trust"
from = 2025-10-01

[[organisation]]
code = "VH3"
name = "Downs Community Trust"
form = "community_trust"
from = 2025-10-01

[[organisation]]
code = "VW1"
name = "Waiting Ward"
form = "trust_site"
in_geography_of = ["V01"]
operated_by = ["VH1"]

[[organisation]]
code = "1-900000001"
name = "Ropewalk House (Old Owner)"
form = "care_home"
from = 2015-01-01
to = 2024-06-01
premises = [{ value = "uprn:900", address = "3 Ropewalk, Vale", postcode = "ZZ1 2AA" }]

[[organisation]]
code = "1-900000002"
name = "Ropewalk House"
form = "care_home"
from = 2024-06-01
in_geography_of = ["V01"]
beds = "24"
rating = "Good"
certainty = "claimed"
premises = [{ value = "uprn:900", address = "3 Ropewalk, Vale", postcode = "ZZ1 2AA" }]

[[organisation]]
code = "QVM"
name = "NHS Board of Many Origins"
form = "icb"
from = 2020-04-01

[[succession]]
on = 2026-04-01
from = "QV1"
to = "QV9"
instrument = "transfer scheme"

[[succession]]
on = 2026-04-01
from = "QV3"
to = "QV9"

[[succession]]
on = 2025-10-01
from = "VH1"
to = "VH2"
part = "Vale"
areas = ["V01"]
contracts = "re-made"

[[succession]]
on = 2025-10-01
from = "VH1"
to = "VH3"
part = "Downs"
"""


def definition(predecessors: int = PREDECESSORS) -> str:
    """The world as a definition file."""
    parts = [WORLD.replace("LONG NAME", LONG)]
    for n in range(predecessors):
        start, end = 1996 + n % 20, 2020
        parts.append(
            f'[[organisation]]\ncode = "QM{n:02}"\nname = "Origin Group Number {n + 1} of the Hundred"\nform = "ccg"\n'
            f"from = {start}-04-01\nto = {end}-04-01\n\n"
            f'[[succession]]\non = {end}-04-01\nfrom = "QM{n:02}"\nto = "QVM"\n'
        )
    return "\n".join(parts)


def write_definition(folder: Path, predecessors: int = PREDECESSORS) -> Path:
    path = folder / "vale.toml"
    path.write_text(definition(predecessors), "utf-8")
    return path


def write_postcodes(folder: Path) -> Path:
    path = folder / "postcodes.csv"
    path.write_text(f"pcds,dointr,doterm,lsoa21cd\n{POSTCODE},201501,,{LSOA}\n", "utf-8")
    return path


@dataclass
class PlaceWorld:
    """The corner of England, taken into the test's database. It serves nobody until `serve`."""

    folder: Path
    at: datetime = field(default_factory=lambda: datetime(2026, 1, 5, 9, tzinfo=UTC))

    def __post_init__(self) -> None:
        for path in (write_definition(self.folder), write_postcodes(self.folder)):
            assert self.takes(path).quarantined == 0

    def takes(self, path: Path) -> Taken:
        return take_directory_file(path=path, **self.acting)

    def serve(self, code: str = COUNCIL) -> None:
        set_home(code=code, **self.acting)

    @property
    def acting(self) -> dict[str, object]:
        return {"actor": Actor.system("test"), "at": self.at}
