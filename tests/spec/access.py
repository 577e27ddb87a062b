"""Who may see what, as a table written apart from the one that decides (joinery/definitions/access.toml).

Down the roles, across how the viewer stands to the person. A cell says what is read of an entry that another
organisation wrote: `-` what is ordinary, and by its letter what is sensitive besides; `no`: the record does not
open. Of what their own organisation wrote, staff read all but sealed names, unless `OTHERS_ALONE` says otherwise.
Read by tests/spec/test_access_table.py.
"""

from __future__ import annotations

LETTERS = {
    "R": "restricted", "H": "sexual_health", "A": "adoption", "S": "safeguarding", "P": "address", "N": "sealed",
}  # fmt: skip

DIRECT_CARE = """
                     current  recent  override
gp                   -        -       -HS
community_nurse      -        -       -HS
hospital_nurse       -        -       -HS
social_worker        -S       -       -S
care_co_ordinator    -        -       -
care_home_manager    -        no      no
home_care_manager    -        no      no
"""
# Whoever the person is, and however the viewer stands to them.
ANYBODY = """
                     record_quality  privacy
records_officer      -               no
privacy_officer      no              -
integration_lead     no              -
"""
# Without a role; nobody through a role.
OWN_RECORD = {"own": "-H", "carer": "-"}
OPENS_NOTHING = {"staff_manager", "analyst"}
OTHERS_ALONE = {"privacy", "own_record"}
NOT_FOR_OPENING = {"feed_quality", "secondary_use", "provider"}

# Who does what that is not about opening a record.
DUTIES = """
                     arrange  own_feeds  any_feeds  manage_staff  invite_people  answer_privacy  refer  figures
gp                   no       yes        no         no            yes            no              yes    yes
community_nurse      no       yes        no         no            no             no              yes    yes
hospital_nurse       no       yes        no         no            no             no              yes    yes
social_worker        no       yes        no         no            yes            no              yes    yes
care_co_ordinator    no       yes        no         no            yes            no              yes    yes
care_home_manager    no       yes        no         no            no             no              yes    yes
home_care_manager    no       yes        no         no            no             no              yes    yes
integration_lead     yes      yes        yes        yes           no             yes             no     yes
records_officer      no       yes        no         no            no             no              no     yes
privacy_officer      no       no         no         no            no             yes             no     yes
staff_manager        no       no         no         yes           no             no              no     yes
analyst              no       no         no         no            no             no              no     yes
"""

Cells = dict[tuple[str, str], str]


def cells(grid: str) -> Cells:
    """The cells of a table that is set out as text, by row and column."""
    heads, *rows = (line.split() for line in grid.strip().splitlines())
    return {(name, head): cell for name, *row in rows for head, cell in zip(heads, row, strict=True)}


def reads(cell: str) -> frozenset[str]:
    """What is sensitive that a cell lets through."""
    return frozenset(LETTERS[letter] for letter in cell.strip("-"))
