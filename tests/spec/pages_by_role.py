"""Who may open each page: a table written apart from what decides, of which docs/reference/generated/pages.md is made.

Down the names of the URL map; `read` says who may ask for the page, `change` who may send its form (`=`: the same, as
on a page that has none; `none`: nobody, by that method). Whoever is not named is refused, and before that asked to
log in, and who holds a role without a second factor is sent to set one up. Staff stand in an organisation that cares
for the person, wrote the row, or was asked; `away` is a GP of one that is not. Tried by tests/pages/test_every_page.py.
"""

from __future__ import annotations

from joinery.calc.access import ROLES, TASKS, Post, may_do

PAGES = """
name                         read                                    change

record:find                  staff person                            care away
record:person                care person                             =
record:looked                care person                             =
record:answers               care person                             =
record:joined                care records_officer                    records_officer
record:details               care person records_officer             =
record:entry                 care person                             =
record:kept_back             invite_people answer_privacy            =

measures:series              staff                                   arrange
measures:bodies              staff                                   =
measures:body                staff                                   =

feeds:index                  staff                                   =
feeds:source                 staff                                   =
feeds:file                   staff                                   =
feeds:beds                   staff                                   =
feeds:quarantine             own_feeds away                          =
feeds:upload                 own_feeds away                          =
feeds:row                    own_feeds                               =
feeds:returned               own_feeds                               =

review:index                 records_officer                         =
review:case                  records_officer                         =
review:quality               records_officer arrange                 =

place:today                  staff                                   =
place:body                   staff                                   =
place:bodies                 staff                                   =
place:responsible            staff                                   =
place:proposals              staff                                   arrange
place:proposal               staff                                   =
place:adopt                  staff                                   arrange
place:drop                   staff                                   arrange
place:change                 staff                                   arrange
place:waiting                arrange                                 =
place:start                  staff                                   =
place:home                   staff                                   arrange
place:add_body               staff                                   arrange
place:name_lead              staff                                   arrange
place:take_file              staff                                   arrange
place:people                 staff                                   =
place:feed                   staff                                   =
place:editions               staff                                   =
place:edition                staff                                   =

care:choose                  care                                    =
care:refer                   care                                    =
care:referral                care                                    =
care:step                    care                                    =
care:work                    staff                                   =
care:asked                   staff                                   =
care:team_work               gp                                      =
care:waits                   staff                                   =
care:services                staff                                   =
care:service                 staff                                   =
care:offer                   manage_staff                            =
care:change                  manage_staff                            =
care:close                   manage_staff                            =
care:members                 none                                    manage_staff gp
care:around                  care person                             =
care:end_part                care person                             =
care:to_meeting              care person                             =
care:offered                 gp                                      =
care:done                    gp                                      =
care:meetings                staff                                   =
care:meeting                 gp                                      =

bars:process_message         key                                     =
bars:metadata                key                                     =
bars:message_definition      key                                     =
bars:service_requests        key                                     =
bars:service_request         key                                     =
bars:slots                   key                                     =
bars:appointments            key                                     =
bars:appointment             key                                     =
bars:absent                  key                                     =

privacy:override             override away                           =
privacy:ask                  care person                             =
privacy:report               care person                             =
privacy:raised               staff person                            =
privacy:mine                 staff person                            =
privacy:looked               person                                  =
privacy:index                answer_privacy                          =
privacy:task                 privacy_officer                         =

staff:index                  manage_staff                            =
staff:add                    manage_staff                            =
staff:reviews                manage_staff                            =
staff:member                 manage_staff                            =
staff:end                    none                                    manage_staff
staff:invite                 none                                    manage_staff
staff:own_access             invite_people                           =
staff:accept                 everybody                               =

account_login                everybody                               =
account_logout               everybody                               =
account_inactive             everybody                               =
account_unsent               account                                 =
account_signup               nobody_at_all                           =
account_reset_password       nobody_at_all                           =
account_reauthenticate       account                                 =
account_change_password      account                                 =
account_sessions             account                                 =
account_set_password         account                                 =
mfa_authenticate             account pending                         =
mfa_login_webauthn           everybody                               =
mfa_reauthenticate           account                                 =
mfa_reauthenticate_webauthn  account                                 =
mfa_index                    account                                 =
mfa_activate_totp            account                                 =
mfa_deactivate_totp          account                                 =
mfa_view_recovery_codes      account                                 =
mfa_generate_recovery_codes  account                                 =
mfa_add_webauthn             account                                 =
mfa_remove_webauthn          account                                 =
oidc_start                   everybody                               =
oidc_back                    everybody                               =

board                        account board                           =
board_start                  staff                                   =
accessibility                everybody                               =
privacy                      everybody                               =
help                         everybody                               =
healthz                      everybody                               =
"""

NOT_IN = ("signed out", "board", "pending")
PEOPLE = ("own", "carer")
EVERYBODY = (*NOT_IN, "no factor", "no part", *PEOPLE, "away", *ROLES)
OVERRIDE = ("gp", "community_nurse", "hospital_nurse", "social_worker", "care_co_ordinator")
GROUPS: dict[str, tuple[str, ...]] = {
    "everybody": EVERYBODY,
    "account": tuple(each for each in EVERYBODY if each not in NOT_IN),
    "staff": ("away", *ROLES),
    "person": PEOPLE,
    "care": (*OVERRIDE, "care_home_manager", "home_care_manager"),
    "override": OVERRIDE,
    "none": (),
    "key": (),
    "nobody_at_all": (),
    **{task: tuple(role for role in ROLES if may_do([Post(role, "A")], task).allowed) for task in TASKS},
}
WORDS = {
    "everybody": "everybody, logged in or not", "account": "whoever is logged in", "pending": "whoever is logging in",
    "staff": "whoever holds a role", "person": "the person, and who acts for them", "care": "who cares for the person",
    "override": "roles that are offered it", "away": "also where they do not care for the person", "none": "nobody",
    "key": "a system with a key of its organisation, and nobody who is logged in",
    "nobody_at_all": "nobody: the page is not offered", "board": "the wall board",
}  # fmt: skip


def rows() -> dict[str, tuple[list[str], list[str]]]:
    """For each page the words for who may read it, and for who may change what it shows."""
    found = {}
    for line in PAGES.strip().splitlines()[2:]:
        if line:
            name, rest = line[:29].strip(), line[29:]
            read, change = rest[:40].split(), rest[40:].split()
            assert name not in found, name
            found[name] = read, read if change == ["="] else change
    return found


def visitors(words: list[str]) -> frozenset[str]:
    """Everybody whom the words of a cell name."""
    return frozenset(each for word in words for each in GROUPS.get(word, (word,)))
