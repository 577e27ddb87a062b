from tests.pages.world import *
from django.db import connection
def test_x(world):
    world.sends(SURGERY, patient("p1","Fenwick","Ada"), allergy("a1","p1","Latex"), flag("f","p1","Falls"), problem("c","p1","Asthma"))
    c=world.user()
    r=search(c, family_name="fenw"); assert r.status_code==200
    assert "FENWICK" in r.content.decode()
    r=c.get(f"/people/{person_id('Patient/p1')}/")
    assert r.status_code==200
    print(r.content.decode())
    if connection.vendor=="sqlite":
        with connection.cursor() as cu:
            cu.execute("explain query plan SELECT e.id from record_entry e JOIN record_submission es ON es.id = e.submission_id where e.record_id in (1,2,3) and e.banner<>'' and e.until_at is null order by e.at")
            for r in cu.fetchall(): print(r)
