"""The whole walk, in a browser without JavaScript: records in, one page out, and the log that shows who looked."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.pages.site import GP, LEAD, NURSE, SOCIAL_WORKER, Site, find, log_in
from tests.pages.world import (
    alert_row,
    allergy,
    no_known_allergy,
    patient,
    person_row,
    problem,
    write_csv,
    write_ndjson,
)

pytestmark = pytest.mark.browser

SURGERY, TRUST, COUNCIL = "Z90001", "ZC1", "999"
NUMBER = "9990004714"


@pytest.fixture(scope="module")
def ada(site: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Given one person's records of two services: a surgery's by FHIR, the council's by CSV."""
    folder = tmp_path_factory.mktemp("ada")
    sent = write_ndjson(
        folder / "surgery.ndjson",
        [
            patient("walk", "Fenwick-Adeyemi", "Ada", number=NUMBER),
            allergy("walk-a", "walk", "Latex"),
            problem("walk-c", "walk", "Asthma", on="2026-03-02", note="Reviewed with her daughter"),
        ],
    )
    assert site.take("fhir", SURGERY, sent)["taken"] == 3
    service = {"service_id": "walk-s", "person_id": "walk", "type": "Home care", "start_date": "2026-04-01"}
    tables = {
        "person": person_row("walk", "Fenwick-Adeyemi", "Ada", number=NUMBER),
        "alert": alert_row("walk-x", "walk", "Key safe by the door"),
        "service": service | {"provider_name": "Harbour Home Care"},
    }
    for part, row in tables.items():
        assert site.take("council", COUNCIL, write_csv(folder / f"{part}.csv", [row]))["taken"] == 1


def open_her_record(page: Page) -> None:
    find(page, Last_name="fenwick")
    page.get_by_role("link", name="FENWICK-ADEYEMI, Ada (Mrs)").click()


def log_in_as(site: Site, who: str) -> Page:
    page, watch = site.window(java_script_enabled=False)
    watch.expected |= {403}
    log_in(page, who)
    return page


def test_a_social_worker_reads_what_two_services_sent_and_the_gp_sees_that_she_looked(site: Site, ada: None) -> None:
    # When a social worker logs in, finds her by family name and opens the page
    page = log_in_as(site, SOCIAL_WORKER)
    open_her_record(page)

    # Then both services' lines are on one page, each with its source and its age
    expect(page.get_by_role("heading", level=1)).to_contain_text("FENWICK-ADEYEMI, Ada (Mrs)")
    for title, kind, source in (
        ("Asthma", "Problem", "Chelmer Road Surgery"),
        ("Home care", "Service", "Wexcombe Council"),
    ):
        line = page.locator(".app-line", has=page.get_by_role("heading", name=title, exact=True))
        expect(line).to_contain_text(kind)
        expect(line).to_contain_text(source)
        expect(line).to_contain_text("received")
        expect(line).to_contain_text("ago" if "ago" in line.inner_text() else "just now")

    # and allergies and alerts are as they were stated
    allergies = page.get_by_role("region", name="Allergies")
    expect(allergies).to_contain_text("Latex")
    expect(allergies).to_contain_text("Chelmer Road Surgery, 6 May 2024")
    alerts = page.get_by_role("region", name="Alerts")
    expect(alerts).to_contain_text("Key safe by the door")
    expect(alerts).to_contain_text("Wexcombe Council, 4 January 2026")

    # and where a line came from is one step away, word for word
    page.get_by_role("link", name="where “Asthma” came from").click()
    expect(page.get_by_role("heading", name="Where this came from")).to_be_visible()
    expect(page.get_by_text("surgery.ndjson")).to_be_visible()
    page.get_by_text("What was sent, word for word").click()
    expect(page.locator("pre")).to_contain_text('"Reviewed with her daughter"')

    # and the GP who logs in next sees that she looked
    gp = log_in_as(site, GP)
    open_her_record(gp)
    gp.get_by_role("link", name="Everyone who has looked").click()
    hers = gp.get_by_role("row", name="Priya Shah")
    assert hers.count() == 3
    for did in ("Opened the record", "Looked at where an entry came from", "Saw the name in a list of search results"):
        expect(hers.filter(has_text=did)).to_contain_text("social worker, Wexcombe Council")

    # and the audit verifies with the look in it
    looks = site.deployment.sql("SELECT COUNT(*) FROM base_access WHERE what = 'opened'")[0][0]
    assert looks >= 2
    verified = site.deployment.json("audit", "verify")
    assert verified["ok"]
    assert verified["rows"] + verified["unsealed"] >= looks


def test_who_is_not_involved_cannot_find_or_open_her(site: Site, ada: None) -> None:
    worker = log_in_as(site, SOCIAL_WORKER)
    open_her_record(worker)
    hers = worker.url

    # A nurse of a service that does not know her finds nobody, and her address is refused in words
    nurse = log_in_as(site, NURSE)
    find(nurse, Last_name="fenwick")
    expect(nurse.get_by_role("heading", level=1)).to_have_text("Nobody found")
    nurse.goto(hers)
    expect(nurse.get_by_role("heading", level=1)).to_have_text("You cannot open this record")
    expect(nurse.get_by_text("not involved in this person's care")).to_be_visible()
    expect(nurse.locator("body")).not_to_contain_text("Ada")

    # An integration lead may search for nobody, and is not asked to
    lead = log_in_as(site, LEAD)
    expect(lead.get_by_role("link", name="People", exact=True)).to_have_count(0)
    lead.goto(hers)
    expect(lead.get_by_role("heading", level=1)).to_have_text("You cannot open this record")
    expect(lead.get_by_text("Your role does not include seeing people's records.")).to_be_visible()

    # and the refusals stand where everybody who may open the record sees them
    worker.goto(f"{hers}who-has-looked/")
    for who in ("Bronagh Kelly", "Ruth Adeyemi"):
        expect(worker.get_by_role("row", name=who)).to_contain_text("Tried to open the record and was refused")


def test_after_logging_out_every_page_leads_to_log_in(site: Site, ada: None) -> None:
    page = log_in_as(site, SOCIAL_WORKER)
    open_her_record(page)
    hers = page.url
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
    for address in (hers, "/", f"{hers}who-has-looked/"):
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
    page.go_back()
    expect(page.locator("body")).not_to_contain_text("Asthma")

    # and logging in again leads on to where she was going
    page.goto(hers)
    page.get_by_label("Email address").fill("priya@demo.example")
    page.get_by_label("Password", exact=True).fill("wexcombe-demo-only")
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("FENWICK-ADEYEMI")


def test_a_wrong_password_is_said_without_saying_who_exists(site: Site) -> None:
    said = []
    for who in ("priya", "nobody-of-that-name"):
        page, _ = site.window(java_script_enabled=False)
        log_in(page, who, "wrong")
        expect(page.get_by_role("alert")).to_contain_text("There is a problem")
        said.append(page.get_by_role("alert").inner_text())
    assert said[0] == said[1]


def test_a_correction_that_comes_while_the_site_is_served_is_on_the_next_page(
    site: Site, ada: None, tmp_path: Path
) -> None:
    page = log_in_as(site, GP)
    open_her_record(page)
    expect(page.get_by_role("region", name="Allergies")).not_to_contain_text("disagree")
    more = [patient("walk-2", "Fenwick-Adeyemi", "Ada", number=NUMBER), no_known_allergy("walk-2a", "walk-2")]
    assert site.take("fhir", TRUST, write_ndjson(tmp_path / "trust.ndjson", more))["taken"] == 2
    page.reload()
    expect(page.get_by_role("region", name="Allergies")).to_contain_text(
        "The records disagree. Wexcombe Community Health states no known allergies"
    )
