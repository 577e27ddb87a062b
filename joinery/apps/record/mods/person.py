"""What a Subject line says of the person: names, dates, address, NHS number."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from joinery.apps.record.mods.checks import listed, plain_code
from joinery.apps.record.mods.definition import definition
from joinery.apps.record.rows import DetailsRow
from joinery.calc.units import parse_nhs_number

_LEGAL, _PREFERRED = ("legal", "official", "usual", ""), ("preferred", "nickname")
_HOME, _GONE = ("home", ""), ("old", "previous")


def details_of(body: Mapping[str, Any], words: Mapping[str, str], *, restricted: bool) -> DetailsRow:
    """A checked Subject's body as details; `words` are its fields in words."""
    name = _by_use(body["names"], _LEGAL)
    preferred = [each for each in body["names"] if _use(each) in _PREFERRED]
    gender = words.get("gender", "")
    return DetailsRow(
        nhs_number=parse_nhs_number(words.get("nhs_number", "")) or "",
        nhs_number_status=words.get("nhs_status", ""),
        family_name=name["family"].strip()[:200],
        given_name=given_names(name)[:200],
        title=str(name.get("prefix") or "").strip()[:40],
        preferred_name=given_names(preferred[0])[:200] if preferred else "",
        birth_date=date.fromisoformat(words["birth_date"]),
        death_date=date.fromisoformat(words["death_date"]) if "death_date" in words else None,
        dead="death_date" in words,
        gender=definition().gender.get(plain_code(gender), gender)[:20],
        address=_address(body.get("addresses") or []),
        restricted=restricted,
    )


def given_names(name: Mapping[str, Any]) -> str:
    """The given names of a name, which are text or a list of it."""
    return " ".join(each.strip() for each in listed(name["given"]))


def _by_use(known: list[Any], uses: tuple[str, ...]) -> Any:
    """The first of these in the order of `uses`; else the first that has not ended."""
    current = [each for each in known if _use(each) not in _GONE and not (isinstance(each, dict) and each.get("to"))]
    ordered = sorted(current, key=lambda each: uses.index(_use(each)) if _use(each) in uses else len(uses))
    return next(iter(ordered or known), None)


def _use(each: Any) -> str:
    return plain_code(str(each.get("use") or "")) if isinstance(each, dict) else ""


def _address(addresses: list[Any]) -> tuple[str, ...]:
    home = _by_use(addresses, _HOME)
    lines = [*listed(home.get("lines")), home.get("postcode")] if isinstance(home, dict) else [home]
    return tuple(line.strip() for line in lines if line and line.strip())
