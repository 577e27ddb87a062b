"""The table of access is read strictly: what does not fit is refused, with the entry that is wrong."""

from __future__ import annotations

from importlib.resources import files

import pytest

from joinery.calc.access_table import NAME, read_table, table

TEXT = files("joinery.definitions").joinpath(NAME).read_text("utf-8")
LAST = len(table().may) + 1
ROW = """
[[may]]
roles = {roles}
relationships = {relationships}
purposes = {purposes}
reads = {reads}
reads_own = true
"""


def row(
    roles: str = '["analyst"]', relationships: str = '["none"]', purposes: str = '["privacy"]', reads: str = "[]"
) -> str:
    return ROW.format(roles=roles, relationships=relationships, purposes=purposes, reads=reads)


def test_the_table_that_ships_is_read_whole() -> None:
    assert read_table(TEXT) == table()
    assert read_table(TEXT + row()) != table()


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("[[may]", f"{NAME}: Expected ']]'"),
        ("[sections]", f"{NAME}: Object contains unknown field `sections`"),
        ("[roles.porter]\nwork = 1\n", f"{NAME}, [roles.porter]: "),
        (row() + 'note = "x"\n', f"{NAME}, [[may]] {LAST}: Object contains unknown field `note`"),
        ('[roles.porter]\nwords = "porter"\n', f"{NAME}, [roles.porter]: Object missing required field `work`"),
        ('[roles.porter]\nwords = "porter"\nwork = "x"\n', "[roles.porter] stands in no row"),
        ('[tasks.fly]\nwords = "fly"\n', "[tasks.fly] is nobody's duty."),
        ('[purposes.fun]\nwords = "fun"\n', "[purposes.fun] opens is true, and the rows say otherwise."),
        ('[relationships.cousin]\nwords = "x"\n', "[relationships] are current, recent, override, own, carer, none,"),
        (row(roles='["gpp"]'), f"[[may]] {LAST}, roles: there is no gpp. There are gp, community_nurse,"),
        (row(relationships='["now"]'), f"[[may]] {LAST}, relationships: there is no now."),
        (row(purposes='["fun"]'), f"[[may]] {LAST}, purposes: there is no fun."),
        (row(reads='["secrets"]'), f"[[may]] {LAST}, reads: there is no secrets."),
        (row(reads='["sealed"]'), f"[[may]] {LAST}: nobody reads what is sealed."),
        (row(relationships="[]"), f"[[may]] {LAST} needs relationships and purposes."),
        (row(relationships='["own"]'), f"[[may]] {LAST}: own needs no roles."),
        (row(roles="[]"), f"[[may]] {LAST}: none needs roles."),
        (row(roles="[]", relationships='["own"]'), f"[[may]] {LAST}: reads_own is about the organisation of a role"),
        (
            row(roles='["privacy_officer"]'),
            f"[[may]] {LAST}: privacy_officer none privacy stands in more than one row.",
        ),
        (row(purposes='["secondary_use"]'), "[purposes.secondary_use] opens is false, and the rows say otherwise."),
        (row(relationships='["recent"]'), "[roles.analyst] needs recent_days above 0"),
        ('[[duty]]\nroles = ["gpp"]\ntasks = ["fly"]\n', "tasks: there is no fly. There are arrange,"),
        ("[[duty]]\nroles = []\ntasks = []\n", f"[[duty]] {len(table().duty) + 1} needs roles and tasks."),
    ],
)
def test_an_entry_that_does_not_fit_is_named(added: str, said: str) -> None:
    with pytest.raises(ValueError) as refused:
        read_table(f"{TEXT}\n{added}")
    assert said in str(refused.value)
    assert all(line.startswith(NAME) for line in str(refused.value).splitlines())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("recent_days = 30\n", "recent_days = 0\n", "[roles.gp] needs recent_days above 0 if"),
        ("recent_days = 30\n", "recent_days = -1\n", "[roles.gp] needs recent_days above 0 if"),
        ("recent_days = 30\n", 'recent_days = "30"\n', "[roles.gp]: Expected `int`, got `str` - at `$.recent_days`"),
        ('"staff_manager", "analyst",\n', '"king",\n', "[roles.integration_lead] gives: there is no king."),
        ('[relationships.recent]\nwords = "care has ended a short while ago"\n', "", "no more and no less"),
    ],
)
def test_a_word_that_does_not_fit_is_named(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(ValueError, match=NAME) as refused:
        read_table(TEXT.replace(old, new, 1))
    assert said in str(refused.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ValueError) as refused:
        read_table(TEXT + row(roles='["gpp"]') + row(purposes='["fun"]'))
    assert "gpp" in str(refused.value) and "fun" in str(refused.value)
