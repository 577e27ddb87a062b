"""The one rule of reading, as SQL: only published submissions count, and the newest row wins."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

# As `also`: the rows of a submission that is being staged count too. Carries two marks for its id.
STAGED = "s.id = %s"

# Under this name the index tells on which record hangs what was filed here.
FILED_ABOUT = "filed_about"


def links(on: str = "", also: str = "") -> str:
    """Which person each source record is about now, as `k`."""
    return _newest("record_link", "k", "record_id", on, also)


def details(on: str = "", also: str = "") -> str:
    """What each source record says of its person now, as `d`."""
    return _newest("record_details", "d", "record_id", on, also)


def entries(on: str = "") -> str:
    """The line that each item makes now, as `e`; its submission as `es`."""
    return _newest("record_entry", "e", "item_id", on, "")


def visit_states(on: str = "", also: str = "") -> str:
    """What each hospital visit has come to, as `v`."""
    return _newest("record_visitstate", "v", "visit_id", on, also)


def cares(also: str = "") -> str:
    """What each item says of care now, as `c`."""
    return _newest("record_care", "c", "item_id", "", also)


# The relationship `r` counts: nothing later was said of it.
_COUNTS = (
    "JOIN record_submission rs ON rs.id = r.submission_id AND rs.published_at IS NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM record_relationship r2 "
    "JOIN record_submission rs2 ON rs2.id = r2.submission_id AND rs2.published_at IS NOT NULL "
    "WHERE r2.record_id = r.record_id AND r2.organisation_id = r.organisation_id AND r2.id > r.id)"
)
# Where relationships went on; and those that are where `r` did, which counts although a later row says when it ends.
# After an end it begins anew, on another day, and goes on by itself.
_PASSED = (
    "(SELECT pr.record_id, pr.organisation_id AS was_id, pr.from_date AS since, rp.ended_id, rp.organisation_id, "
    "rp.from_date FROM record_relationship pr JOIN record_relationshippassing rp ON rp.relationship_id = pr.id)"
)
_SAME = "{0}.record_id = r.record_id AND {0}.was_id = r.organisation_id AND {0}.since = r.from_date"
_PASSINGS = f"{_PASSED} q WHERE {_SAME.format('q')}"


def relationships(whose: str) -> str:
    """The relationships that organisations have had with people, as one SELECT; `whose` is a condition on a
    person's id, such as `= %s`.

    Columns: person, organisation, since, until, and whether it went on to another organisation since. What a
    relationship passed on to is a row of its own, which ends as it does; one that ended with its organisation is
    left out. Carries four marks for the day, two before each of the two times that `whose` stands in it.
    """
    linked = f"FROM {links()} JOIN record_relationship r ON r.record_id = k.record_id {_COUNTS}"
    went_on = f"EXISTS (SELECT 1 FROM {_PASSINGS} AND q.ended_id = {{}} AND q.from_date <= %s{{}})"

    def row(at: str, also: str) -> str:
        passed = went_on.format(f"{at}.organisation_id", "")
        ended = went_on.format(f"{at}.organisation_id", " AND q.organisation_id IS NULL")
        return (
            f"SELECT k.person_id, {at}.organisation_id, {at}.from_date, r.to_date, {passed} AS passed "
            f"{linked}{also} WHERE NOT {ended} AND k.person_id {whose}"
        )

    passing = f" JOIN {_PASSED} p ON {_SAME.format('p')} AND p.organisation_id IS NOT NULL"
    return f"{row('r', '')} UNION ALL {row('p', passing)}"


# A condition: the restriction `t` holds still.
HOLDS = "NOT EXISTS (SELECT 1 FROM record_restrictionend te WHERE te.restriction_id = t.id)"


# A condition: own access `a` holds on a day, given by two marks. The newest row of a user and a record counts.
OWN_ACCESS_HOLDS = (
    "a.from_date <= %s AND (a.to_date IS NULL OR a.to_date > %s) AND NOT EXISTS (SELECT 1 FROM record_ownaccess a2 "
    "WHERE a2.user_id = a.user_id AND a2.record_id = a.record_id AND a2.id > a.id)"
)


def seals(whose: str) -> str:
    """The names that are sealed for people, as one SELECT of person and names; `whose` as in `relationships`."""
    linked = _newest("record_link", "tk", "record_id", "tk.record_id = t.record_id", "")
    return (
        f"SELECT tk.person_id, t.names FROM record_restriction t JOIN {linked} "
        f"WHERE t.kind = 'sealed_name' AND {HOLDS} AND tk.person_id {whose}"
    )


def not_sealed(details: str, person: str) -> str:
    """A condition: no name by which these details (their alias) are searched is sealed for the person."""
    carries = " OR ".join(f"seal.names LIKE '%% ' || {details}.{key} || ' %%'" for key in ("family_key", "given_key"))
    return f"NOT EXISTS (SELECT 1 FROM ({seals(f'= {person}')}) seal WHERE {carries})"


def still_waiting(organisations: Collection[int]) -> str:
    """SQL for the relationships (id, record, organisation) that stand at some bodies and have not gone on."""
    ids = ", ".join(f"{i:d}" for i in organisations) or "NULL"
    stays = f"NOT EXISTS (SELECT 1 FROM {_PASSINGS} AND q.ended_id = {{}}.organisation_id)"
    return (
        f"SELECT r.id, r.record_id, r.organisation_id FROM record_relationship r {_COUNTS} "
        f"WHERE r.organisation_id IN ({ids}) AND {stays.format('r')} UNION ALL "
        f"SELECT r.id, r.record_id, p.organisation_id FROM {_PASSED} p "
        f"JOIN record_relationship r ON {_SAME.format('p')} {_COUNTS} WHERE p.organisation_id IN ({ids}) "
        f"AND {stays.format('p')}"
    )


def filed(also: str) -> str:
    """FROM-clause text for what was filed here (item `i`, version `v`) about whom `k` links to, by an organisation
    `o`, as it reads now; `also` is a condition. Carries a mark for the feed."""
    return (
        f"{links()} JOIN record_indexrow x ON x.name = '{FILED_ABOUT}' AND x.value = CAST(k.record_id AS text) "
        "JOIN record_itemversion v ON v.id = x.version_id JOIN record_item i ON i.id = v.item_id "
        "JOIN record_source so ON so.id = i.source_id AND so.feed = %s "
        "JOIN place_organisation o ON o.id = so.organisation_id "
        f"WHERE v.number = (SELECT MAX(n.number) FROM record_itemversion n WHERE n.item_id = i.id) AND {also}"
    )


@cache
def _newest(table: str, alias: str, key: str, on: str, also: str) -> str:
    """FROM-clause text for the rows of `table` that count, one for each `key`.

    `on` is the condition when the text follows a JOIN. `also` is a condition on a submission `s` under
    which its rows count although it is not published: that it is the one being staged.
    """

    def counts(submission: str) -> str:
        extra = f" OR {also.replace('s.', submission + '.')}" if also else ""
        return f"({submission}.published_at IS NOT NULL{extra})"

    mine, later = f"{alias}s", f"{alias}s2"
    return (
        f"{table} {alias}{f' ON {on}' if on else ''} "
        f"JOIN record_submission {mine} ON {mine}.id = {alias}.submission_id AND {counts(mine)} "
        f"AND NOT EXISTS (SELECT 1 FROM {table} {alias}2 "
        f"JOIN record_submission {later} ON {later}.id = {alias}2.submission_id "
        f"WHERE {alias}2.{key} = {alias}.{key} AND {alias}2.id > {alias}.id AND {counts(later)})"
    )


# A condition: the submission with this alias came from its sender, and is not a row that a person corrected.
NOT_CORRECTION = "NOT EXISTS (SELECT 1 FROM record_correction nc WHERE nc.submission_id = {}.id)"
# A condition: it is no submission of ours, as taking a merge back and reading anew what is held are.
NOT_OURS = "{}.part NOT IN ('unmerge', 'reread')"
# A condition: its sender sent it.
FROM_SENDER = f"({NOT_OURS.format('{0}')} AND {NOT_CORRECTION.format('{0}')})"


def mended(q: str, s: str) -> str:
    """A condition: what the quarantined row `q` of submission `s` is about was taken from a later file."""
    return (
        f"({q}.key <> '' AND EXISTS (SELECT 1 FROM record_item mi JOIN record_itemversion mv ON mv.item_id = mi.id "
        f"AND NOT mv.late AND mv.submission_id > {s}.id "
        "JOIN record_submission ms ON ms.id = mv.submission_id AND ms.published_at IS NOT NULL "
        f"WHERE mi.source_id = {s}.source_id AND mi.key = {q}.key))"
    )


def open_quarantined(where: str) -> str:
    """SQL for the quarantined rows (id, source) that wait for somebody; `where` is a condition on submission `s`.

    A row that a sender sends every night is one: the newest of the same bytes, unless one of them was dealt with.
    """
    return (
        "SELECT oq.id, os.source_id FROM (SELECT MAX(q.id) AS id FROM record_quarantined q "
        "JOIN record_submission s ON s.id = q.submission_id AND s.published_at IS NOT NULL "
        f"LEFT JOIN record_correction c ON c.quarantined_id = q.id WHERE {where} "
        "GROUP BY s.source_id, q.digest HAVING COUNT(c.id) = 0) newest "
        "JOIN record_quarantined oq ON oq.id = newest.id JOIN record_submission os ON os.id = oq.submission_id "
        f"WHERE NOT {mended('oq', 'os')}"
    )
