import pytest
from tests.pages.test_bars import long_record, statements
pytestmark = pytest.mark.django_db
def test_e(long_record):
    for k in range(3):
        with statements() as ran: long_record.client.get(long_record.address)
    for s in ran.ran: print(round(s.seconds*1e3,2), s.sql[:70])
    from django.db import connection
    with connection.cursor() as c:
      for l in sorted(ran.ran, key=lambda s:-s.seconds)[:3]:
        c.execute("EXPLAIN (ANALYZE, SUMMARY) "+l.sql, l.parameters)
        print("-----\n"+"\n".join(r[0] for r in c.fetchall()))
