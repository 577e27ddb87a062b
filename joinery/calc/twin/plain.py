"""The kernel's own source as plain Python, in the same process: for a small place, nothing has to be compiled first.

An event takes some tenths of a millisecond, hundreds of times as long as compiled; what happens is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from joinery.calc.twin.world import World


def plainly(function: Callable[..., Any]) -> Callable[..., Any]:
    """A compiled function whose first argument is a World, run by Python; it changes the World as it does compiled.

    Python reads the fields of an object many times as fast as those of a record, so it is given objects.
    """
    run = _uncompiled(function)

    def work(world: World, *others: Any) -> Any:
        seen = World(*map(_objects, world))
        done = run(seen, *others)
        for records, objects in zip(world, seen, strict=True):
            rows = [tuple(vars(each).values()) for each in objects.flat]
            records[...] = np.array(rows, records.dtype).reshape(records.shape)
        return done

    return work


def _uncompiled(function: Any) -> Callable[..., Any]:
    """A copy that calls copies of whatever the function calls; itself where NUMBA_DISABLE_JIT=1, as it is plain."""
    namespaces: dict[int, dict[str, Any]] = {}

    def copy(plain: FunctionType) -> FunctionType:
        around = plain.__globals__
        if id(around) not in namespaces:
            namespaces[id(around)] = namespace = dict(around)
            namespace |= {name: copy(each.py_func) for name, each in around.items() if hasattr(each, "py_func")}
        return FunctionType(plain.__code__, namespaces[id(around)], plain.__name__)

    return copy(function.py_func) if hasattr(function, "py_func") else function


def _objects(records: NDArray[Any]) -> NDArray[Any]:
    made = np.empty(records.shape, object)
    for at in np.ndindex(records.shape):
        made[at] = SimpleNamespace(**dict(zip(records.dtype.names or (), records[at].item(), strict=True)))
    return made
