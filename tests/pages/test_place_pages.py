"""The pages of the directory: what they say, who may change what, and how many statements they take."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from joinery.apps.base.columns import select
from joinery.apps.place import actions, facts
from tests.pages.measure import MOST_OF_LIST, plan, statements
from tests.pages.place_world import (
    BOARD,
    COUNCIL,
    HOME_BEFORE,
    HOME_NOW,
    LSOA,
    MANY,
    MERGED,
    OTHER_BOARD,
    POSTCODE,
    SPLIT,
    PlaceWorld,
)
from tests.pages.world import SURGERY, World, patient, person_id

LEAD, NURSE = "integration_lead", "community_nurse"


@pytest.fixture
def vale(world: World, tmp_path: Path) -> PlaceWorld:
    made = PlaceWorld(tmp_path)
    made.serve()
    return made


@pytest.fixture
def lead(world: World, vale: PlaceWorld) -> Client:
    return world.user(LEAD, COUNCIL, name="Ruth Vale")


@pytest.fixture
def nurse(world: World, vale: PlaceWorld) -> Client:
    return world.user(NURSE, name="Bronagh Vale")


def words(answer: Any) -> str:
    """What a page says, without its marks."""
    body = re.sub(r"<(title|desc|svg).*?</\1>", " ", answer.content.decode(), flags=re.S)
    return " ".join(re.sub(r"<[^>]*>", " ", body).replace("&#39;", "'").replace("&amp;", "&").split())


def counted(client: Client, address: str) -> int:
    client.get(address)  # what is kept for a minute is there
    with statements() as ran:
        answer = client.get(address)
    assert answer.status_code == 200
    return len(ran.of_page)


def test_a_place_that_serves_nobody_yet_says_so_and_leads_to_the_set_up(world: World, tmp_path: Path) -> None:
    PlaceWorld(tmp_path)
    page = world.user(LEAD, "V01").get("/place/")
    assert "Nobody has said yet which body this deployment serves" in words(page)
    assert 'href="/place/start/"' in page.content.decode()


def test_the_place_shows_what_is_around_and_inside_it_and_follows_successors(nurse: Client) -> None:
    said = words(nurse.get("/place/?on=2026-11-01"))
    assert "Vale Council on 1 November 2026" in said
    assert "NHS Vale and Fen Integrated Care Board Integrated care board, QV9" in said
    assert "NHS Moor Integrated Care Board" in said
    assert "one of several boards that it faces" in said
    for name in ("Vale Place Partnership", "Ropewalk House", "Vale Surgery"):
        assert name in said
    assert "NHS Vale Integrated Care Board" not in said
    assert "NHS Vale Integrated Care Board" in words(nurse.get("/place/?on=2026-03-31"))


def test_the_look_is_told_and_travels_in_every_link_of_the_directory(lead: Client, vale: PlaceWorld) -> None:
    proposal = actions.propose(title="One council", **vale.acting)
    page = lead.get(f"/place/body/{COUNCIL}/?on=2027-04-01&known=2026-11-20&proposal={proposal}")
    said = words(page)
    assert "You are looking at 1 April 2027 , a day to come" in said
    assert "As it was known on 20 November 2026" in said
    assert "Through the proposal One council , which nobody has decided on" in said
    links = re.findall(r'href="(/place/body/[^"]*)"', page.content.decode())
    others = [link for link in links if f"/{COUNCIL}/" not in link]
    assert others
    for link in others:
        assert all(part in link for part in ("on=2027-04-01", "known=2026-11-20", f"proposal={proposal}")), link
    assert "You are looking at" not in words(lead.get(f"/place/body/{COUNCIL}/"))


def test_what_was_not_yet_known_is_not_shown(nurse: Client, vale: PlaceWorld) -> None:
    before = vale.at.date() - timedelta(days=1)
    assert nurse.get(f"/place/body/{COUNCIL}/?known={before}").status_code == 404
    assert nurse.get(f"/place/body/{COUNCIL}/?known={vale.at.date()}").status_code == 200


@pytest.mark.parametrize(
    ("fields", "leads_to"),
    [
        ({"on_day": "1", "on_month": "4", "on_year": "2027"}, "/place/?on=2027-04-01"),
        ({"on_day": "", "on_month": "", "on_year": ""}, "/place/"),
        ({"known_day": "2", "known_month": "3", "known_year": "2026"}, "/place/?known=2026-03-02"),
    ],
)
def test_the_form_of_the_look_leads_to_a_plain_address(nurse: Client, fields: dict[str, str], leads_to: str) -> None:
    answer = nurse.get("/place/", fields)
    assert (answer.status_code, answer["Location"]) == (302, leads_to)


def test_a_day_that_is_none_is_told_beside_its_field(nurse: Client) -> None:
    page = nurse.get("/place/", {"on_day": "31", "on_month": "2", "on_year": "2026"})
    assert "The day to look at must be a real date" in words(page)
    assert 'value="31"' in page.content.decode()


def test_a_body_shows_relations_both_ways_with_what_the_source_named(nurse: Client) -> None:
    board = words(nurse.get(f"/place/body/{MERGED}/?on=2026-11-01"))
    assert (
        "Commissions Vale Surgery named there: QV1, which has ended recalled, not checked against a document" in board
    )
    council = words(nurse.get(f"/place/body/{COUNCIL}/"))
    assert "GSS code E06900001" in council
    assert "checked against a document; the definition file “vale”; known since 5 January 2026" in council
    ward = words(nurse.get("/place/body/VW1/"))
    assert "Is operated by Vale and Downs Community Trust" in ward
    assert "Nobody has decided who took over" in ward
    ended = words(nurse.get(f"/place/body/{SPLIT}/"))
    assert (
        "It is no more since 1 October 2025. Parts of it went to Vale Care Trust (Vale), Downs Community Trust" in ended
    )


def test_a_care_home_shows_who_was_registered_at_its_door_before(nurse: Client) -> None:
    page = nurse.get(f"/place/body/{HOME_NOW}/")
    assert "3 Ropewalk, Vale, ZZ1 2AA" in words(page)
    assert "Ropewalk House (Old Owner) Ended 1 June 2024" in words(page)
    assert f"/place/body/{HOME_BEFORE}/" in page.content.decode()


def test_a_body_asked_for_by_another_code_is_found_at_its_own_address(nurse: Client) -> None:
    answer = nurse.get("/place/body/E06900001/?on=2026-03-01")
    assert (answer.status_code, answer["Location"]) == (302, f"/place/body/{COUNCIL}/?on=2026-03-01")


def test_bodies_are_found_by_the_start_of_a_name_in_any_letters_by_code_and_by_form(nurse: Client) -> None:
    assert "1 body found NHS Vale Integrated Care Board" in words(
        nurse.get("/place/bodies/?text=nhs%20VALE&on=2026-01-01")
    )
    assert "NHS Moor Integrated Care Board" in words(nurse.get("/place/bodies/?text=qv2"))
    assert "1 body found Ropewalk House Care home" in words(nurse.get("/place/bodies/?form=care_home"))
    assert "Ropewalk House (Old Owner) Ended 1 June 2024" in words(nurse.get("/place/bodies/?text=ropewalk"))
    assert "No body found" in words(nurse.get("/place/bodies/?text=zzz"))


def test_a_name_that_is_no_more_does_not_find_its_body(nurse: Client) -> None:
    assert "No body found" in words(nurse.get("/place/bodies/?text=Vale%20Borough"))
    assert "1 body found" in words(nurse.get("/place/bodies/?text=Vale%20Borough&on=2000-01-01"))


def test_pages_of_bodies_follow_each_other_and_leave_nobody_out(vale: PlaceWorld) -> None:
    as_at = facts.as_at(vale.at.date())
    everybody = [body.code for body in facts.find_bodies(as_at, limit=200).bodies]
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = facts.find_bodies(as_at, after=after, limit=7)
        seen += [body.code for body in page.bodies]
        after = page.after
    assert seen == everybody and len(everybody) > 40


def test_finding_by_name_reads_the_index_of_names(vale: PlaceWorld) -> None:
    with statements() as ran:
        facts.find_bodies(facts.as_at(vale.at.date()), "vale")
    (search,) = [each for each in ran.ran if "ORDER BY LOWER(s.value)" in each.sql]
    said = plan(search.sql, search.parameters)
    assert "statement_name" in said or "Seq Scan" in said  # PostgreSQL scans a table this small


@pytest.mark.parametrize("asked", [POSTCODE, POSTCODE.lower(), LSOA])
def test_who_answers_for_an_area_is_told_by_level_and_with_the_reason(nurse: Client, asked: str) -> None:
    form = {"area": asked, "on_day": "1", "on_month": "11", "on_year": "2026"}
    said = words(nurse.post("/place/responsible/", form))
    assert "Vale Council Unitary council, V01 Because it covers the area" in said
    assert said.count("One of several") == 2
    assert "It took over from QV1, which has ended." in said
    assert "Because of Vale Council, which works with it" in said


def test_a_postcode_never_stands_in_an_address(nurse: Client) -> None:
    form = {"area": POSTCODE, "on_day": "1", "on_month": "11", "on_year": "2026"}
    page = nurse.post("/place/responsible/", form).content.decode()
    assert not [link for link in re.findall(r'(?:href|action)="([^"]*)"', page) if "ZZ1" in link]
    assert "not known in which area" in words(nurse.post("/place/responsible/", form | {"area": "ZZ9 9ZZ"}))
    assert "Enter a full postcode" in words(nurse.post("/place/responsible/", form | {"area": "Vale"}))


MERGER = {
    "bodies": f"{COUNCIL}\ndowns district",
    "into_code": "vd1",
    "into_name": "Vale and Downs Council",
    "into_form": "unitary",
    "on_day": "1",
    "on_month": "4",
    "on_year": "2028",
}


def begun(lead: Client) -> str:
    answer = lead.post("/place/proposals/", {"title": "Vale and Downs become one"})
    assert answer.status_code == 302
    return str(answer["Location"])


def test_a_proposal_is_begun_filled_looked_through_and_adopted(lead: Client) -> None:
    proposal = begun(lead)
    assert lead.post(f"{proposal}merge/", MERGER)["Location"] == proposal
    said = words(lead.get(proposal))
    assert "Vale Council V01" in said and "ends on 1 April 2028" in said
    assert "is succeeded by Vale and Downs Council (VD1) on 1 April 2028" in said
    number = proposal.strip("/").split("/")[-1]
    through = f"?on=2028-04-01&proposal={number}"
    assert "Vale and Downs Council stands where it stood" in words(lead.get(f"/place/{through}"))
    assert lead.get("/place/body/VD1/?on=2028-04-01").status_code == 404
    assert "Adopt this proposal?" in words(lead.get(f"{proposal}adopt/"))
    assert lead.post(f"{proposal}adopt/").status_code == 302
    assert "Took over from Vale Council" in words(lead.get("/place/body/VD1/?on=2028-04-01"))
    again = lead.post(f"{proposal}drop/")
    assert "This proposal was adopted already" in words(again)


def test_a_dropped_proposal_never_counts_and_stays_readable(lead: Client) -> None:
    proposal = begun(lead)
    lead.post(f"{proposal}rename/", {"body": COUNCIL, "name": "Vale City", **dict(MERGER)})
    lead.post(f"{proposal}drop/")
    assert "is called “Vale City” from 1 April 2028" in words(lead.get(proposal))
    assert "Vale City" not in words(lead.get(f"/place/body/{COUNCIL}/?on=2029-01-01"))


def test_every_kind_of_change_can_be_proposed(lead: Client) -> None:
    proposal = begun(lead)
    day = {name: MERGER[name] for name in ("on_day", "on_month", "on_year")}
    parts = {"part1_code": "VX1", "part1_name": "North", "part1_form": "icb", "part1_words": "the north",
             "part1_areas": f"{COUNCIL}, {LSOA}", "part2_code": OTHER_BOARD}  # fmt: skip
    sent = {
        "split": {"body": MERGED, **parts, "instrument": "order", "contracts": "novated"},
        "move": {"what": LSOA, "left": COUNCIL, "joined": "V09"},
        "rename": {"body": "Vale Place", "name": "Vale Partnership"},
    }
    for kind, fields in sent.items():
        answer = lead.post(f"{proposal}{kind}/", fields | day)
        assert answer.status_code == 302, (kind, words(answer))
    said = words(lead.get(proposal))
    assert "is succeeded by North (VX1) on 1 April 2028 (the north; by order; contracts novated)" in said
    assert f"covers the area {LSOA} until 1 April 2028" in said
    assert "is called “Vale Partnership” from 1 April 2028" in said


@pytest.mark.parametrize(
    ("kind", "changed", "told"),
    [
        ("merge", {"bodies": "nhs"}, "Several names begin with “nhs”. Enter one code:"),
        ("merge", {"bodies": "zzz"}, "No body has the code “zzz”, and no name begins so"),
        ("merge", {"bodies": COUNCIL}, "A merger takes two bodies at least"),
        ("merge", {"into_code": COUNCIL}, "cannot end and take over"),
        ("merge", {"into_form": "palace"}, "Choose the form of the body that takes over"),
        ("merge", {"on_month": "13"}, "The day of the merger must be a real date"),
        ("merge", {"bodies": f"{BOARD}\n{COUNCIL}"}, "ended on 2026-04-01"),
        ("move", {"what": "VS1", "left": "V09", "joined": COUNCIL}, "is no part of Downs District Council"),
        ("split", {"body": COUNCIL, "part1_code": "X1", "part1_name": "X", "part1_form": "icb"}, "code of body 2"),
        ("rename", {"body": COUNCIL, "name": ""}, "Enter the new name"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_what_was_typed_is_kept(
    lead: Client, kind: str, changed: dict[str, str], told: str
) -> None:
    page = lead.post(f"{begun(lead)}{kind}/", MERGER | changed)
    assert page.status_code == 200
    assert told in words(page)
    errors = re.findall(r'<a[^>]*href="#([^"]+)"', page.content.decode().split("error-summary", 1)[1].split("</ul>")[0])
    assert errors and all(f'id="{field}"' in page.content.decode() for field in errors)
    for typed in set(changed.values()) - {"", "palace"}:
        assert typed.splitlines()[0] in page.content.decode()


FORMS = ("/place/proposals/", "/place/start/home/", "/place/start/body/", "/place/start/lead/", "/place/start/file/")


@pytest.mark.parametrize("path", FORMS)
def test_who_may_not_arrange_sees_the_page_without_its_form_and_cannot_post(nurse: Client, path: str) -> None:
    before = select("SELECT COUNT(*) FROM place_edition")
    page = nurse.get(path)
    assert page.status_code == 200
    forms = re.findall(r'<form[^>]*action="([^"]*)"', page.content.decode())
    assert forms == ["/log-out/"]
    assert "Only an integration lead can change this" in words(page)
    sent = {"title": "x", "body": "V09", "name": "x", "code": "X", "form": "icb"}
    refused = nurse.post(path, sent)
    assert refused.status_code == 403
    assert "You cannot change the directory" in words(refused)
    assert select("SELECT COUNT(*) FROM place_edition") == before


def test_who_may_not_arrange_can_read_a_proposal_and_decides_nothing(
    lead: Client, nurse: Client, vale: PlaceWorld
) -> None:
    proposal = begun(lead)
    lead.post(f"{proposal}merge/", MERGER)
    assert "Add a change" not in words(nurse.get(proposal))
    assert nurse.get(f"{proposal}merge/").status_code == 302
    for tail in ("adopt/", "drop/", "merge/"):
        assert nurse.post(f"{proposal}{tail}", MERGER).status_code == 403
    assert nurse.get("/place/waiting/").status_code == nurse.post("/place/waiting/").status_code == 403
    assert facts.editions(("proposal",))[0].state == "draft"


def test_a_membership_whose_body_was_split_waits_until_somebody_decides(world: World, lead: Client) -> None:
    world.at -= timedelta(days=800)  # while the trust was whole
    ada, _ = (world.user(NURSE, SPLIT, name=name) for name in ("Ada", "Bea"))
    told = "Vale and Downs Community Trust has ended, and it is not decided where your membership goes on"
    assert told in words(ada.get("/")) and told not in words(lead.get("/"))
    page = lead.get("/place/waiting/")
    assert "Ada, community nurse At Vale and Downs Community Trust , which ended on 1 October 2025" in words(page)
    first, second = re.findall(r'name="membership" value="(\d+)"', page.content.decode())
    nothing = lead.post("/place/waiting/", {"membership": first})
    assert "Choose where it goes on, or end it" in words(nothing)
    assert "Choose a body that took over" in words(
        lead.post("/place/waiting/", {"membership": first, "choice": "to:V01"})
    )
    assert lead.post("/place/waiting/", {"membership": first, "choice": "to:VH2"}).status_code == 302
    assert told not in words(ada.get("/"))
    assert lead.post("/place/waiting/", {"membership": second, "choice": "end"}).status_code == 302
    assert "Nothing waits" in words(lead.get("/place/waiting/"))


def test_people_who_are_known_to_a_body_that_was_split_wait_too(world: World, lead: Client) -> None:
    world.sends(SPLIT, patient("a", "Ash", "Ann"), patient("b", "Birch", "Ben", born="1942-03-03"))
    page = words(lead.get("/place/waiting/"))
    assert "2 people At Vale and Downs Community Trust , which ended on 1 October 2025" in page
    assert "Ash" not in page, "whoever decides about the directory sees nobody"
    assert "Choose where they go on" in words(lead.post("/place/waiting/", {"ended": SPLIT}))
    assert "Choose a body that took over" in words(
        lead.post("/place/waiting/", {"ended": SPLIT, "choice": f"to:{COUNCIL}"})
    )
    assert lead.post("/place/waiting/", {"ended": SPLIT, "choice": "to:VH2"}).status_code == 302
    assert "Nothing waits" in words(lead.get("/place/waiting/"))


def test_who_answers_for_where_a_person_lives_on_any_day(world: World, nurse: Client) -> None:
    here, nowhere = patient("a", "Ash", "Ann"), patient("b", "Birch", "Ben", born="1942-03-03")
    here["address"] = [{"line": ["1 Quay Road"], "postalCode": POSTCODE.lower()}]
    del nowhere["address"]
    world.sends(SURGERY, here, nowhere)
    address = f"/people/{person_id('Patient/a')}/who-answers/"
    now = words(nurse.get(f"{address}?on=2026-11-01"))
    assert "ASH, Ann" in now and "Vale Council" in now
    assert "NHS Vale and Fen Integrated Care Board" in now and "It took over from QV1, which has ended" in now
    before = words(nurse.get(f"{address}?on=2025-11-01"))
    assert "NHS Vale Integrated Care Board" in before and "Vale and Fen" not in before
    assert counted(nurse, f"{address}?on=2026-11-01") <= 14
    unknown = words(nurse.get(f"/people/{person_id('Patient/b')}/who-answers/"))
    assert "No source has sent an address with a postcode" in unknown
    assert nurse.get(f"{address}?on=soon").status_code == 400
    assert world.user(LEAD, COUNCIL, name="Ruth").get(address).status_code == 403


def test_a_place_is_set_up_on_its_pages(world: World, tmp_path: Path) -> None:
    world.at -= timedelta(days=1)
    client = world.user(LEAD, "998")
    said = words(client.get("/place/start/"))
    assert "The body that this place serves A council, an integrated care board or another body Not yet started" in said
    made = {"how": "make", "code": "hm1", "name": "Harbour Council", "form": "unitary"}
    assert client.post("/place/start/home/", made).status_code == 302
    body = {"code": "HB2", "name": "Harbour Place", "form": "place", "relation": "part_of", "other": "harbour council"}
    assert client.post("/place/start/body/", body).status_code == 302
    assert client.post("/place/start/lead/", {"body": "HB2", "name": "Ruth Harbour"}).status_code == 302
    assert "Harbour Place" in words(client.get("/place/"))
    assert "Lead Ruth Harbour" in words(client.get("/place/body/HB2/"))
    assert "serves A council, an integrated care board or another body Completed" in words(client.get("/place/start/"))
    assert "has this code already" in words(client.post("/place/start/body/", body))


def test_an_uploaded_file_is_taken_and_its_four_counts_add_up(lead: Client) -> None:
    good = '[[organisation]]\ncode = "HB1"\nname = "Half Baked Trust"\nform = "nhs_trust"\n'
    file = SimpleUploadedFile("../half.toml", f'{good}[[organisation]]\ncode = "HB2"\nform = "palace"\n'.encode())
    answer = lead.post("/place/start/file/", {"file": file})
    assert answer.status_code == 302
    said = words(lead.get(answer["Location"]))
    assert (
        "Taken 1 Unchanged: known already 0 Superseded: said again later in the file 0 Set aside: could not be read 1"
        in said
    )
    assert "All rows 2" in said
    assert "palace is not a form" in said
    assert lead.get("/place/body/HB1/").status_code == 200
    assert "by Ruth Vale" in words(lead.get("/place/editions/"))


def test_a_file_that_cannot_be_read_or_is_too_large_is_told_at_its_field(lead: Client, settings: Any) -> None:
    junk = words(lead.post("/place/start/file/", {"file": SimpleUploadedFile("junk.csv", b"a,b\n1,2\n")}))
    assert "its columns are of no kind that is known" in junk
    assert "Choose a file" in words(lead.post("/place/start/file/", {}))
    settings.UPLOAD_MB = 1
    for size in (1_000_001, 2_000_000):
        large = SimpleUploadedFile("large.csv", b"x" * size)
        assert "The file has more than 1 MB" in words(lead.post("/place/start/file/", {"file": large}))


ODD = ("%00", "a%00b", "%ED%A0%80", "x" * 5000, quote("' OR '1'='1"), quote("<script>"), "..", "%2e%2e", "NOPE", "0")
ODD_QUERIES = (
    "on=yesterday", "on=2026-13-01", "on=0001-01-01", "on=9999-12-31", "known=9999-12-31", "on=%00",
    "proposal=999999", "proposal=x", "proposal=-1", "proposal=" + "9" * 40, "proposal=%D9%A3", "proposal=1",
    "on_day=1&on_month=x&on_year=%00", "on_day=9999999999999999999999", "known_day=1&known_month=1&known_year=1",
    "on_day=1&on_month=1&on_year=2027&proposal=%27",
)  # fmt: skip


@pytest.mark.parametrize("code", ODD)
def test_a_forged_code_gets_a_page_that_says_so(lead: Client, code: str) -> None:
    answer = lead.get(f"/place/body/{code}/")
    assert answer.status_code in (400, 404), answer.status_code
    assert "<h1" in answer.content.decode() and "<script>" not in answer.content.decode()


@pytest.mark.parametrize("path", ["/place/", f"/place/body/{COUNCIL}/", "/place/bodies/", "/place/editions/"])
def test_a_forged_look_gets_a_page_that_says_so(lead: Client, path: str) -> None:
    for query in ODD_QUERIES:
        answer = lead.get(f"{path}?{query}", follow=True)
        assert answer.status_code in (200, 400, 404), query
        assert "<h1" in answer.content.decode(), query


@pytest.mark.parametrize("address", [
    "bodies/?after=x", "bodies/?after=1~%00", "bodies/?after=" + "9" * 30 + "~a", "bodies/?form=palace",
    "bodies/?text=%00", "bodies/?text=" + "y" * 5000, "bodies/?text=%F4%8F%BF%BF", "bodies/?text=%ED%9F%BF",
    "editions/?before=x", "editions/?before=" + "9" * 30, "editions/99999999/", "editions/" + "9" * 40 + "/",
    "proposals/99999999/", "proposals/" + "9" * 40 + "/", "proposals/1/", "proposals/1/adopt/", "proposals/1/burn/",
])  # fmt: skip
def test_no_other_forged_address_breaks_anything(lead: Client, address: str) -> None:
    answer = lead.get(f"/place/{address}")
    assert answer.status_code in (200, 400, 404), answer.status_code
    assert "<h1" in answer.content.decode()


@pytest.mark.parametrize("value", ["\x00", "\U0010ffff", "9" * 3000, "<b>&{{7*7}}", "\ud7ff", "to:", "-1", "²"])
def test_no_forged_field_breaks_anything(lead: Client, value: str) -> None:
    proposal = begun(lead)
    day = {"on_day": value, "on_month": value, "on_year": value}
    sent = dict.fromkeys(
        ("title", "bodies", "body", "name", "code", "form", "relation", "other", "what", "left", "joined", "area",
         "how", "into_code", "into_name", "into_form", "part1_code", "part2_areas", "instrument", "choice",
         "membership"), value,
    )  # fmt: skip
    paths = ["/place/responsible/", "/place/waiting/", *FORMS[1:]]
    for path in [*paths, *(f"{proposal}{kind}/" for kind in ("merge", "split", "move", "rename"))]:
        answer = lead.post(path, sent | day)
        assert answer.status_code in (200, 302, 400), (path, answer.status_code)
        assert "<b>" not in answer.content.decode()


def test_the_pages_take_as_many_statements_however_much_they_show(world: World, lead: Client, vale: PlaceWorld) -> None:
    addresses = [
        "/place/", f"/place/body/{COUNCIL}/", f"/place/body/{HOME_NOW}/", "/place/bodies/",
        "/place/bodies/?form=care_home", "/place/proposals/", "/place/editions/", "/place/waiting/", "/place/start/",
    ]  # fmt: skip
    world.at -= timedelta(days=800)
    world.user(NURSE, SPLIT, name="Ada")
    proposal = actions.propose(title="First", **vale.acting)
    addresses.append(f"/place/proposals/{proposal}/")
    actions.rename(code="V09", name="Downs City", on=vale.at.date(), edition_id=proposal, **vale.acting)
    few = {address: counted(lead, address) for address in addresses}
    grow(world, vale, proposal)
    many = {address: counted(lead, address) for address in addresses}
    assert many == few
    assert max(many.values()) <= MOST_OF_LIST, many


def grow(world: World, vale: PlaceWorld, proposal: int) -> None:
    """Thirty of everything that the pages list."""
    for n in range(30):
        code = f"GH{n:02}"
        details = actions.OrganisationDetails(code, f"Grown House {n}", "care_home")
        actions.register_organisation(details=details, **vale.acting)
        on = vale.at.date()
        actions.relate(code=code, kind="in_geography_of", target=COUNCIL, on=on, **vale.acting)
        actions.propose(title=f"Proposal {n}", **vale.acting)
        actions.rename(code=code, name=f"Renamed {n}", on=on, edition_id=proposal, **vale.acting)
        world.user(NURSE, SPLIT, name=f"Nurse {n}")


def test_a_body_of_many_predecessors_takes_few_statements_and_says_what_it_leaves_out(lead: Client) -> None:
    address = f"/place/body/{MANY}/"
    assert counted(lead, address) <= MOST_OF_LIST
    page = lead.get(address).content.decode()
    assert "and 22 more, which are in the table" in page
    for n in range(1, 31):
        assert f"Origin Group Number {n} of the Hundred" in page
