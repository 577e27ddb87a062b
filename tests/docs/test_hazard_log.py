"""The hazard log is whole: each hazard has all its parts, and each risk is what the matrix gives."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT

LOG = (ROOT / "docs/hazard-log.md").read_text("utf-8")
PARTS = ("Hazard", "Causes", "Effect", "Initial", "Controls", "Residual", "Status")
SEVERITIES = ("minor", "significant", "considerable", "major", "catastrophic")
RATING = re.compile(r"likelihood ([a-z ]+), severity (\w+), risk (\d)")


def matrix() -> dict[tuple[str, str], str]:
    rows = re.findall(r"^\| (Very high|High|Medium|Low|Very low) \|(.+)\|$", LOG, re.MULTILINE)
    return {
        (name.lower(), severity): risk.strip()
        for name, cells in rows
        for severity, risk in zip(SEVERITIES, cells.split("|"), strict=True)
    }


def hazards() -> list[str]:
    return re.split(r"^## (?=H\d\d )", LOG, flags=re.MULTILINE)[1:]


def test_each_hazard_has_all_its_parts() -> None:
    numbers = [text[:3] for text in hazards()]
    assert numbers == [f"H{number:02}" for number in range(1, len(numbers) + 1)]
    for text in hazards():
        assert [part for part in PARTS if f"\n- {part}: " not in text] == [], text[:3]


def test_each_risk_is_what_the_matrix_gives() -> None:
    risks, ratings = matrix(), RATING.findall(LOG)
    assert len(risks) == 25
    assert len(ratings) == 2 * len(hazards())
    assert [rating for rating in ratings if risks[rating[0], rating[1]] != rating[2]] == []


def test_a_hazard_with_a_gap_and_more_than_a_low_risk_is_not_called_controlled() -> None:
    for text in hazards():
        residual = int(re.findall(r"- Residual: .* risk (\d)", text)[0])
        assert ("Status: controlled" in text) == (residual <= 2), text[:3]


def test_the_list_of_all_hazards_is_what_follows_it() -> None:
    for text in hazards():
        number, _, title = text.partition("\n")[0].partition(" ")
        initial, residual = (risk for _, _, risk in RATING.findall(text))
        status = re.findall(r"- Status: (.*)\.", text)[0]
        assert f"| {number} | {title} | {initial} | {residual} | {status} |" in LOG
