"""What the readers of a place file's tables share: the names that a file gives, and the faults found so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

from joinery.calc.twin.network import PlaceError, Stay
from joinery.calc.twin.place_file.document import Document, header
from joinery.calc.twin.place_file.keys import PlaceTable, StayTable
from joinery.calc.twin.place_file.lines import Key

T = TypeVar("T")
P = ParamSpec("P")

HOME, DEATH = "home", "death"
_FIGURES = ("mean_days", "cv", "sd_days", "median_days", "mu", "sigma")
_WAYS = {
    "exponential": ({"mean_days"},),
    "fixed": ({"mean_days"},),
    "lognormal": ({"mean_days", "cv"}, {"mean_days", "sd_days"}, {"mean_days", "median_days"}, {"mu", "sigma"}),
}


class Reader:
    """One document, its bands and stations. Faults are gathered, so that a user mends all of them at once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.faults: list[str] = []
        self.about = document.table(("place",), PlaceTable)
        self.bands = self.about.bands
        said = document.at(("station",))
        if not isinstance(said, dict) or not said:
            raise self.wrong(("place",), "a place needs a station: [station.NAME]")
        self.stations: tuple[str, ...] = tuple(said)

    def attempt(self, read: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T | None:
        """What `read` gives, or None when it finds something wrong, which is kept."""
        try:
            return read(*arguments, **named)
        except PlaceError as error:
            self.faults.append(str(error))
            return None

    def fault(self, key: Key, words: str) -> None:
        """Keep a fault and go on."""
        self.faults.append(str(self.wrong(key, words)))

    def raise_faults(self) -> None:
        """Raise PlaceError with all the faults that were found, if there are any."""
        if self.faults:
            raise PlaceError("\n".join(dict.fromkeys(self.faults)))

    def wrong(self, key: Key, words: str) -> PlaceError:
        """The error about a key: where it stands, its name, and what is wrong."""
        return self.document.wrong(key, f"{header(key)}: {words}")

    def names(self, part: str) -> tuple[str, ...]:
        """The names of the tables [part.NAME]."""
        said = self.document.at((part,))
        if said is not None and not isinstance(said, dict):
            self.fault((part,), f"write [{part}.NAME], with a name of your own")
            return ()
        return tuple(said or ())

    def station(self, name: str, key: Key) -> int:
        """The position of a station. Raises PlaceError where there is none of that name."""
        return self._position(name, self.stations, "station", key)

    def band(self, name: str, key: Key) -> int:
        """The position of a band. Raises PlaceError where there is none of that name."""
        return self._position(name, self.bands, "band", key)

    def _position(self, name: str, names: tuple[str, ...], what: str, key: Key) -> int:
        if name not in names:
            raise self.wrong(key, f"there is no {what} {name}. There are {', '.join(names)}")
        return names.index(name)

    def by_band(self, key: Key, said: float | tuple[float, ...]) -> tuple[float, ...]:
        """A figure for each band: as many as there are bands, or one that holds for all."""
        if not isinstance(said, tuple):
            return (float(said),) * len(self.bands)
        if len(said) != len(self.bands):
            raise self.wrong(key, f"a number for each of the {len(self.bands)} bands is needed; here are {len(said)}")
        return tuple(map(float, said))

    def stays(self, key: Key, said: StayTable) -> tuple[Stay, ...]:
        """A stay for each band."""
        given = {name: value for name in _FIGURES if (value := getattr(said, name)) is not None}
        ways = _WAYS[said.shape]
        if set(given) not in ways:
            needed = ", or ".join(" and ".join(name for name in _FIGURES if name in way) for way in ways)
            raise self.wrong(key, f"a {said.shape} stay needs {needed}; here it has {', '.join(given) or 'none'}")
        by_band = {name: self.by_band((*key, name), value) for name, value in given.items()}
        try:
            return tuple(
                _stay(said.shape, {name: figures[at] for name, figures in by_band.items()})
                for at in range(len(self.bands))
            )
        except (PlaceError, ArithmeticError) as error:
            raise self.wrong(key, str(error)) from None


def _stay(shape: str, given: Mapping[str, float]) -> Stay:
    """A stay from the figures that one of the ways gives."""
    if "mu" in given:
        return Stay.from_logs(given["mu"], given["sigma"])
    mean = given["mean_days"]
    if shape != "lognormal":
        return Stay("fixed" if shape == "fixed" else "exponential", mean)
    if "median_days" in given:
        median = given["median_days"]
        if not 0 < median < mean:
            raise PlaceError(f"a lognormal stay has its median ({median:g}) above 0 and below its mean ({mean:g})")
        return Stay("lognormal", mean, ((mean / median) ** 2 - 1) ** 0.5)  # mean / median = exp(sigma^2 / 2)
    return Stay("lognormal", mean, given["cv"] if "cv" in given else given["sd_days"] / mean if mean else 0.0)
