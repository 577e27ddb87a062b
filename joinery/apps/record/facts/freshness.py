"""When each source last sent something, and whether it is late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.columns import as_moment, marks, select
from joinery.apps.base.facts import person_facts
from joinery.apps.base.feeds import feed_of
from joinery.apps.record.people import PersonRecords
from joinery.apps.record.sql import FROM_SENDER


@dataclass(frozen=True, slots=True)
class Freshness:
    """When a source last sent anything, and whether it is late for what it is expected to be.

    Of a hospital only admissions, transfers and discharges count, once it has sent one: mass updates go
    out at night while those are stuck (recalled, not checked). `unread`: a hospital's message about
    the person is in quarantine, and none was taken since. `alerts_at` is when a council last sent its table of alerts.
    """

    source_id: int
    source_name: str
    sector: str
    last_received_at: datetime
    late: bool
    unread: bool
    cadence: str = ""
    alerts_at: datetime | None = None


@person_facts
def freshness(viewing: Viewing, of: PersonRecords) -> tuple[Freshness, ...]:
    """When each source of this person last sent a file that was taken."""
    sources = {k.source_id: k for k in of.known}
    moved = (
        "(SELECT ms.received_at FROM record_indexrow x JOIN record_itemversion v ON v.id = x.version_id "
        "JOIN record_submission ms ON ms.id = v.submission_id AND ms.published_at IS NOT NULL "
        "WHERE so.feed = 'adt' AND x.name = 'moves' AND x.value = CAST(so.id AS text) "
        "ORDER BY x.version_id DESC LIMIT 1)"
    )
    sql = (
        f"SELECT so.id, COALESCE({moved}, (SELECT s.received_at FROM record_submission s WHERE s.source_id = so.id "
        f"AND s.published_at IS NOT NULL AND {FROM_SENDER.format('s')} ORDER BY s.received_at DESC LIMIT 1)), "
        "so.feed = 'adt' AND EXISTS (SELECT 1 FROM record_quarantined q "
        "JOIN record_submission qs ON qs.id = q.submission_id AND qs.published_at IS NOT NULL "
        f"WHERE qs.source_id = so.id AND q.local_id IN ({marks(of.known)}) AND NOT EXISTS ("
        "SELECT 1 FROM record_message m JOIN record_submission ms ON ms.id = m.submission_id "
        "AND ms.published_at IS NOT NULL JOIN record_sourcerecord r ON r.id = m.record_id "
        "WHERE r.source_id = so.id AND r.local_id = q.local_id AND m.submission_id > q.submission_id)), "
        "(SELECT MAX(a.received_at) FROM record_submission a WHERE a.source_id = so.id AND so.feed = 'council' "
        "AND a.part = 'alert' AND a.published_at IS NOT NULL) "
        f"FROM record_source so WHERE so.id IN ({marks(list(sources))})"
    )
    rows = select(sql, [*(k.local_id for k in of.known), *sources])
    last = {source: as_moment(at) for source, at, _, _ in rows if at}
    unread = {source for source, _, waits, _ in rows if waits}
    alerts = {source: as_moment(at) for source, _, _, at in rows if at}
    found = []
    for source, k in sources.items():
        if source in last:
            feed, at = feed_of(k.feed), last[source]
            late = feed.is_late(at, viewing.at)
            told = (source in unread, feed.cadence, alerts.get(source))
            found.append(Freshness(source, k.organisation_name, k.sector, at, late, *told))
    return tuple(found)
