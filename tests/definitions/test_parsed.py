"""Definitions are read when they are first asked for, which may be by several threads of a web process at once."""

from __future__ import annotations

import subprocess
import sys

# Without a lock around msgspec this dies of a segmentation fault, within some of the 60 types.
READERS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
import msgspec
from joinery.definitions import parsed

sys.setswitchinterval(1e-6)

def new_kind(n):
    inner = msgspec.defstruct(f"Inner{n}", [(f"f{i}", int, 0) for i in range(40)])
    fields = [(f"a{i}", dict[str, inner], msgspec.field(default_factory=dict)) for i in range(20)]
    return msgspec.defstruct(f"Outer{n}", [*fields, ("x", tuple[inner, ...], ())])

with ThreadPoolExecutor(8) as pool:
    for n in range(60):
        kind, together = new_kind(n), Barrier(8)
        def read(_):
            together.wait()
            return len(parsed("x = [{ f1 = 1 }]", kind).x)
        assert set(pool.map(read, range(8))) == {1}
"""


def test_threads_that_meet_a_definition_at_once_all_read_it() -> None:
    ran = subprocess.run([sys.executable, "-c", READERS], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
