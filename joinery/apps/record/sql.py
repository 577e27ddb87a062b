"""The one rule of reading, as SQL: only published submissions count, and the newest row wins."""

from __future__ import annotations


def links(on: str = "", also: str = "") -> str:
    """Which person each source record is about now, as `k`."""
    return _newest("record_link", "k", "record_id", on, also)


def details(on: str = "", also: str = "") -> str:
    """What each source record says of its person now, as `d`."""
    return _newest("record_details", "d", "record_id", on, also)


def entries(on: str = "") -> str:
    """The line that each item makes now, as `e`; its submission as `es`."""
    return _newest("record_entry", "e", "item_id", on, "")


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
