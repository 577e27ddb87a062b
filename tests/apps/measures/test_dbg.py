import sys; sys.path.insert(0,"/work/main")
import pytest, random
from datetime import date, timedelta
pytestmark = pytest.mark.django_db
from tests.apps.measures.uploading import *
from joinery.apps.place.actions import merge
def test_x(tmp_path):
    for seed in (1,):
        chance = random.Random(seed)
        living=[f"T{n}" for n in range(8)]; register(*living)
        day,events=date(2018,1,1),0; lives={}
        while len(living)>2 and events<7:
            day += timedelta(days=chance.choice([0, 31, 45, 200]))
            gone = chance.sample(living, chance.choice([1, 2, 2, 3]))
            rest = [code for code in living if code not in gone]
            into = chance.choice(rest) if rest and (len(gone) == 1 or chance.random() < 0.4) else f"N{events}"
            print(day, gone, into)
            merge(codes=gone, into=trust(into), on=day, **BY)
            living = [*rest, into] if into not in rest else rest
            events+=1
        lin = place.lineage(living, place.as_at(AT.date()))
        print(lin.ends); print([ (e.body,e.successor,e.on,e.whole) for e in lin.edges])
        for l in living: print(l, lin.arrivals(l), [ (x.body.code,x.to.code) for x in place.predecessors(l, place.as_at(AT.date()))], place.organisation(l, place.as_at(AT.date())))
        print([place.organisation(f"T{n}", place.as_at(AT.date())) for n in range(8)])
        assert 0
