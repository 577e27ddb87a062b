import os, sys, threading
from pathlib import Path
import pytest
from tests.pages.world import *
from tests.pages.test_linking_pages import *
from django.test import Client
OUT=Path("/tmp/h5/shots"); OUT.mkdir(exist_ok=True)
def dump(name, answer):
    import re
    h=answer.content.decode()
    assert answer.status_code in (200,403), h
    # inline css
    css=Path("joinery/site/theme/static/joinery/nhsuk-frontend.css").read_text()+Path("joinery/site/theme/static/joinery/joinery.css").read_text()
    h=re.sub(r'<link rel="stylesheet"[^>]*>','',h).replace("</head>","<style>"+css+"</style></head>")
    (OUT/f"{name}.html").write_text(h)
def test_shots(world):
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada", number=NUMBERS[0]))
    world.council_sends("person", person_row("c1", "Fenwick-Lowe", "Ada", number=NUMBERS[0]))
    world.sends(TRUST, patient("t1", "Fenwick", "Ada"))
    world.sends(OTHER_SURGERY, patient("o1", "Fenwick", "Adah", born="1944-09-02", number=NUMBERS[1]))
    gp=world.user(); off=officer(world); ann=officer(world,"Ann Bell")
    pid=person_id("Patient/p1")
    dump("why-gp", gp.get(f"/people/{pid}/why/"))
    dump("details", gp.get(f"/people/{pid}/details/"))
    dump("review", off.get("/review/"))
    import re
    pair=re.findall(r'/review/\d+/\d+/', off.get("/review/").content.decode())[0]
    dump("case", off.get(pair))
    dump("case-error", says(off,pair,""))
    says(ann,pair,"same","same voice on the telephone")
    a=says(off,pair,"different","twins: Ada and Adah")
    dump("answered", off.get(pair))
    dump("review-after", off.get(a["Location"]))
    off.post(f"/people/{pid}/why/", {"records": str(record_id("Patient/t1")), "note":"her sister"})
    dump("why-officer", off.get(f"/people/{pid}/why/"))
    dump("looked", world.user("community_nurse",TRUST,"Nan Ito").get(f"/people/{person_id('Patient/t1')}/who-has-looked/"))
    dump("person", gp.get(f"/people/{pid}/"))
    dump("refused", gp.get("/review/"))
