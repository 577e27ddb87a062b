"""What may be spent on places, and what happened everywhere: the two things that a change is judged against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from joinery.calc.twin.network import Place, PlaceError

# A penny a day: sums of what is typed in pence may differ by rounding.
_CLOSE_PENCE = 1.0


@dataclass(frozen=True)
class Budget:
    """What the places of a day may cost, in pence: by payer, or in all (under "") where it is pooled."""

    pence_per_day: Mapping[str, float]
    least_places: Mapping[str, int]

    @property
    def pooled(self) -> bool:
        return "" in self.pence_per_day

    def broken(self, place: Place) -> list[str]:
        """In words, each rule that the places of the first day do not keep; empty when all are kept."""
        words = [
            f"{station.name} has {station.places[0][1]} places, and the budget wants at least {least}"
            for station in place.stations
            if station.places[0][1] < (least := self.least_places.get(station.name, 0))
        ]
        costs = places_pence_per_day(place, pooled=self.pooled)
        for payer, cost in costs.items():
            may = self.pence_per_day.get(payer, 0.0)
            if cost > may + _CLOSE_PENCE:
                whose = f" of {payer}" if payer else ""
                words.append(
                    f"the places{whose} cost £{cost / 100:,.2f} a day, £{(cost - may) / 100:,.2f} more than the budget"
                )
        return words


def places_pence_per_day(place: Place, *, pooled: bool) -> dict[str, float]:
    """What all places of the first day would cost if they were all in use: by payer, or together under ""."""
    costs: Counter[str] = Counter()
    for station in place.stations:
        costs["" if pooled else station.payer] += station.places[0][1] * station.cost_pence  # type: ignore[assignment]
    return dict(costs)


@dataclass(frozen=True)
class Trend:
    """What changed everywhere over so many years: arrivals, and the mean stay by station, as shares a year.

    >>> round(Trend(years=11, arrivals_per_year=0.0, stay_per_year={"acute": -0.03}).stay_factor("acute"), 3)
    0.715
    """

    years: float
    arrivals_per_year: float
    stay_per_year: Mapping[str, float]

    def stay_factor(self, station: str) -> float:
        """What the mean stay at a station is multiplied by, all years together."""
        return float((1 + self.stay_per_year.get(station, 0.0)) ** self.years)

    def of(self, place: Place) -> Place:
        """The place as the trend makes it: what any change to it is to be judged against, and judged in."""
        growth = (1 + self.arrivals_per_year) ** self.years
        if unknown := set(self.stay_per_year) - {station.name for station in place.stations}:
            raise PlaceError(f"the national trend speaks of no station: {', '.join(sorted(unknown))}")
        return replace(
            place,
            name=f"{place.name}, by the national trend",
            stations=tuple(
                replace(
                    station,
                    stays=tuple(
                        replace(stay, mean_days=stay.mean_days * self.stay_factor(station.name))
                        for stay in station.stays
                    ),
                )
                for station in place.stations
            ),
            arrivals=tuple(
                replace(
                    stream, rates_per_day=tuple(tuple(rate * growth for rate in row) for row in stream.rates_per_day)
                )
                for stream in place.arrivals
            ),
        )
