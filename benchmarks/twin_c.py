"""The twin's events in C (peers/twin.c), compiled on the spot, on the arrays of the same run."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path

from joinery.calc.twin.world import Calendar, World

SOURCE = Path(__file__).parent / "peers" / "twin.c"
COMPILE = "gcc -O3 -march=native -ffp-contract=off -shared -fPIC"
STATE = ("clock", "stations", "cells", "ways", "persons", "heap")
SIZES = ("home", "bands", "days", "streams")
TABLES = ("places", "rates", "shares", "stream_to", "stream_band", "midnights")


class InC(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_void_p) for name in STATE),
        *((name, ctypes.c_int64) for name in SIZES),
        *((name, ctypes.c_void_p) for name in TABLES),
    ]


def compiled(folder: Path) -> Callable[[World, Calendar], bool]:
    """What stands in for the kernel's `go_on`. Raises CalledProcessError where there is no gcc to do it."""
    library = folder / "twin.so"
    subprocess.run([*COMPILE.split(), "-o", library, SOURCE, "-lm"], check=True)
    function = ctypes.CDLL(str(library)).go_on

    def go_on(world: World, calendar: Calendar) -> bool:
        sizes = (len(world.stations), world.cells.shape[1], len(calendar.rates), calendar.shares.shape[1])
        state = [getattr(world, name).ctypes.data for name in STATE]
        tables = [getattr(calendar, name).ctypes.data for name in TABLES]
        return bool(function(ctypes.byref(InC(*state, *sizes, *tables)), ctypes.c_int64(len(world.persons))))

    return go_on
