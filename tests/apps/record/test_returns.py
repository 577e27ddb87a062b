"""Returns: every row ends as one of four, and nobody's record knows that they came."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from joinery.apps.base.action import Actor, Refused
from joinery.apps.base.columns import select
from joinery.apps.base.feeds import feed_of
from joinery.apps.record import facts
from joinery.apps.record.actions import OptOuts, Taken, correct, open_rows, take_file, take_opt_outs
from joinery.apps.record.models import FeedVariant
from joinery.calc.returns import Beds
from joinery.calc.units import Period
from tests.apps.record import sending
from tests.apps.record.sending import ACTOR, AT, COUNCIL, ends
from tests.spec.return_rules import CASES, GOOD, Row

pytestmark = pytest.mark.django_db

FEEDS = tuple(GOOD)
JOB = Actor.system("measures")
YEAR = Period(date(2025, 4, 1), date(2026, 4, 1))
NUMBERS = (GOOD["cld"]["NHS_Number"], "9990000026")
# What a care record is made of, for good.
RECORD = ("person", "sourcerecord", "details", "link", "relationship", "item", "itemversion", "indexrow", "entry")
KEY = {"cld": "LA_Person_Unique_Identifier", "apc": "Hospital_Spell_No", "ecds": "Attendance_Unique_Identifier"}


@pytest.fixture(autouse=True)
def organisations(tmp_path: Path) -> None:
    sending.register()
    check_opt_outs(tmp_path, NUMBERS, NUMBERS)


def check_opt_outs(folder: Path, asked: Iterable[str], allowed: Iterable[str], at: datetime = AT) -> OptOuts:
    """Take what came back of a check of these NHS numbers against the national data opt-out."""
    (folder / "asked.csv").write_text("".join(f"{number},\r\n" for number in asked), "utf-8")
    (folder / "allowed.csv").write_text("".join(f"{number},\r\n" for number in allowed), "utf-8")
    return take_opt_outs(asked=folder / "asked.csv", allowed=folder / "allowed.csv", actor=ACTOR, at=at)


def take(folder: Path, feed: str, rows: Iterable[Row], at: datetime = AT, sender: str = COUNCIL) -> Taken:
    text = io.StringIO()
    writer = csv.DictWriter(text, feed_of(feed).part(feed).columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    path = folder / f"{feed}.csv"
    path.write_text(text.getvalue(), "utf-8", newline="")
    taken = take_file(path=path, feed=feed, organisation_code=sender, actor=ACTOR, at=at)
    assert taken.rows == taken.taken + taken.unchanged + taken.superseded + taken.quarantined
    return taken


def everything(feed: str) -> list[Row]:
    """A row of each case of the spec, all of them different things."""
    key = KEY.get(feed)
    return [
        GOOD[feed] | ({key: f"{n}"} if key else {"location_id": f"1-{n:09}"}) | changes
        for n, (_, changes, _, _) in enumerate(CASES[feed])
    ]


def service(**changes: str) -> Row:
    return GOOD["cld"] | changes


def quarter(end: str) -> Row:
    return {"Reporting_Period_End_Date": end}


def read(feed: str, *columns: str, period: Period = YEAR) -> facts.ReturnColumns:
    return facts.return_columns(open_rows(feed=feed, actor=JOB, at=AT), period, columns)


@pytest.mark.parametrize("feed", FEEDS)
def test_every_row_ends_as_one_of_four(feed: str, tmp_path: Path) -> None:
    rows = everything(feed)
    refused = sum(quarantined for *_, quarantined in CASES[feed])
    assert ends(take(tmp_path, feed, rows)) == (len(rows) - refused, 0, 0, refused)


@pytest.mark.parametrize("feed", FEEDS)
def test_the_same_file_again_changes_nothing(feed: str, tmp_path: Path) -> None:
    rows = everything(feed)
    rows += [rows[0] | {feed_of(feed).part(feed).columns[-1]: "7"}, rows[0]]  # one thing said three times
    first = take(tmp_path, feed, rows)
    kept = select("SELECT COUNT(*) FROM record_returnrow")
    again = take(tmp_path, feed, rows, at=AT + timedelta(days=90))
    assert ends(again) == (0, first.taken, 0, first.quarantined)
    assert select("SELECT COUNT(*) FROM record_returnrow") == kept


@pytest.mark.parametrize("feed", FEEDS)
def test_a_return_makes_nobody_and_adds_nothing_to_anybody(feed: str, tmp_path: Path) -> None:
    known = sending.person_row("7", GOOD["cld"]["NHS_Number"])
    sending.send(tmp_path, sending.extract("person", [known]), COUNCIL)
    before = {table: select(f"SELECT COUNT(*) FROM record_{table}") for table in RECORD}
    (person,) = sending.people()
    seen = sending.lines(person)
    stranger = {"NHS_Number": "9990000026", "LA_Person_Unique_Identifier": "8"} if feed == "cld" else {}
    take(tmp_path, feed, [GOOD[feed], *([GOOD[feed] | stranger] if stranger else [])])
    assert {table: select(f"SELECT COUNT(*) FROM record_{table}") for table in RECORD} == before
    assert sending.lines(person) == seen


def test_a_quarter_that_comes_late_is_superseded(tmp_path: Path) -> None:
    take(tmp_path, "cld", [service(**quarter("2026-03-31"))])
    late = [
        service(**quarter("2025-12-31"), Delivery_Mechanism="Direct payment"),
        service(LA_Person_Unique_Identifier="9"),
    ]
    assert ends(take(tmp_path, "cld", late)) == (1, 0, 1, 0)
    assert sorted(read("cld", "Delivery_Mechanism").columns["Delivery_Mechanism"]) == ["CASSR commissioned support"] * 2


def test_a_period_that_is_stated_too_far_ahead_does_not_hide_what_comes_after(tmp_path: Path) -> None:
    take(tmp_path, "cld", [service(**quarter("2099-03-31"))])
    ended = service(Event_End_Date="2026-03-20", Event_Outcome="NFA: Deceased", **quarter("2026-06-30"))
    assert ends(take(tmp_path, "cld", [ended], at=AT + timedelta(days=91))) == (1, 0, 0, 0)
    assert read("cld").to_date == [date(2026, 3, 20)]


def test_another_period_alone_says_nothing_new(tmp_path: Path) -> None:
    take(tmp_path, "cld", [service(**quarter("2025-12-31"))])
    assert ends(take(tmp_path, "cld", [service(**quarter("2026-03-31"))])) == (0, 1, 0, 0)


def test_a_service_that_the_next_file_leaves_out_can_be_told(tmp_path: Path) -> None:
    stays, leaves = service(), service(LA_Person_Unique_Identifier="9", NHS_Number="9990000026")
    take(tmp_path, "cld", [row | quarter("2025-12-31") for row in (stays, leaves)])
    take(tmp_path, "cld", [stays | quarter("2026-03-31")])
    found = read("cld")
    told = dict(zip(found.stated_to, found.newest_to, strict=True))
    assert told == {date(2025, 12, 31): date(2026, 3, 31), date(2026, 3, 31): date(2026, 3, 31)}


def test_a_person_has_one_pseudonym_in_all_returns_and_a_local_number_is_its_issuers(tmp_path: Path) -> None:
    number = GOOD["cld"]["NHS_Number"]
    take(
        tmp_path,
        "cld",
        [service(), service(NHS_Number="", LA_Code="998"), service(NHS_Number="", Event_Start_Date="2026-02-01")],
    )
    take(tmp_path, "apc", [GOOD["apc"] | {"Der_Pseudo_NHS_Number": f"{number[:3]} {number[3:6]} {number[6:]}"}])
    traced, other_council, untraced = read("cld").subject
    assert read("apc").subject == [traced]
    assert len({traced, other_council, untraced}) == 3
    assert not any(number in subject or subject == "7" for subject in (traced, other_council, untraced))


# The last two are what a database writes for nothing, and a spreadsheet for a long number.
@pytest.mark.parametrize("number", ["9999999999", "NULL", "9.99E+09"])
def test_a_dummy_number_makes_nobody_one(number: str, tmp_path: Path) -> None:
    rows = [service(NHS_Number=number, LA_Person_Unique_Identifier=each) for each in ("7", "8")]
    take(tmp_path, "cld", rows)
    assert len(set(read("cld").subject)) == 2


def test_a_day_is_the_same_day_with_the_midnight_that_a_database_writes_after_it(tmp_path: Path) -> None:
    take(tmp_path, "apc", [GOOD["apc"]])
    days = {c: f"{GOOD['apc'][c]} 00:00:00.000" for c in ("Admission_Date", "Discharge_Date") if GOOD["apc"][c]}
    assert ends(take(tmp_path, "apc", [GOOD["apc"] | days])) == (0, 1, 0, 0)


def test_rows_are_given_out_without_what_names_a_person(tmp_path: Path) -> None:
    take(tmp_path, "cld", [service()])
    file = feed_of("cld").part("cld")
    for column in (*file.identifying, "no such column"):
        with pytest.raises(ValueError, match="gives? out no column"):
            read("cld", column)
    given = read("cld", *(c for c in file.columns if c not in file.identifying))
    values = {value for column in given.columns.values() for value in column}
    assert not values & {GOOD["cld"][column] for column in file.identifying if column in GOOD["cld"]}


def test_rows_are_for_jobs_alone_and_each_leaves_an_entry() -> None:
    with pytest.raises(Refused):
        open_rows(feed="cld", actor=Actor.user(1), at=AT)
    with pytest.raises(Refused):
        open_rows(feed="council", actor=JOB, at=AT)
    assert select("SELECT COUNT(*) FROM base_access") == [(0,)]
    read("cld")
    assert select("SELECT actor, what, purpose, person_id FROM base_access") == [
        ("system:measures", "rows", "secondary_use", None)
    ]


def test_rows_of_another_time_are_left_out(tmp_path: Path) -> None:
    take(
        tmp_path,
        "cld",
        [
            service(),
            service(Event_Start_Date="2026-04-01"),
            service(Event_Start_Date="2020-01-01", Event_End_Date="2025-03-31"),
        ],
    )
    assert read("cld").from_date == [date(2026, 1, 5)]


def test_the_quality_of_each_field_is_counted_in_the_newest_submission(tmp_path: Path) -> None:
    take(tmp_path, "cld", [service(Event_Start_Date="")])
    rows = [service(LA_Person_Unique_Identifier=str(n), Gender="", Accommodation_Status="Unknown") for n in range(3)]
    take(tmp_path, "cld", [*rows, service(Service_Component="Care")])
    found = {field.column: (field.rows, field.checks) for field in facts.field_quality("cld")}
    assert found == {
        "Gender": (4, {-1: 3}),
        "Accommodation_Status": (4, {-7: 3}),
        "Service_Component": (4, {-2: 1}),
    }


def test_beds_are_as_last_said_with_their_age(tmp_path: Path) -> None:
    home = GOOD["capacity"]
    take(tmp_path, "capacity", [home, home | {"bed_type": "Dementia nursing", "accepting_admissions": ""}])
    take(tmp_path, "capacity", [home | {"updated_at": "2026-03-01T09:00:00Z", "occupied": "3"}])
    beds = {each.bed_type: (each.beds, each.age_days) for each in facts.care_home_capacity(date(2026, 4, 2)).homes}
    assert beds == {"General residential": (Beds(15, 4, 1), 3), "Dementia nursing": (Beds(15, 0, 5), 3)}
    (earlier,) = facts.care_home_capacity(date(2026, 3, 2)).homes
    assert (earlier.beds.occupied, earlier.age_days) == (3, 1)
    assert earlier.updated_at == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert facts.care_home_capacity(date(2026, 2, 28)) == facts.CareHomeCapacity(())


def say_variant(columns: str) -> None:
    ((source,),) = select("SELECT id FROM record_source")
    text = f'name = "ours"\n[columns]\n{columns}'
    FeedVariant.objects.create(source_id=source, text=text, digest="", made_by="test", at=AT)


@pytest.mark.parametrize(("changed", "homes"), [("", 1), ('occupied = "bed_type"\nbed_type = "Beds in use"', 0)])
def test_beds_that_a_changed_variant_no_longer_fits_are_left_out_and_counted(
    changed: str, homes: int, tmp_path: Path
) -> None:
    take(tmp_path, "capacity", [GOOD["capacity"]])
    say_variant('occupied = "Beds in use"')
    file = tmp_path / "capacity.csv"
    file.write_text(file.read_text("utf-8").replace("occupied", "Beds in use", 1).replace("000104", "000105"), "utf-8")
    take_file(path=file, feed="capacity", organisation_code=COUNCIL, actor=ACTOR, at=AT)
    assert len(facts.care_home_capacity(date(2026, 4, 2)).homes) == 2
    say_variant(changed)
    capacity = facts.care_home_capacity(date(2026, 4, 2))
    assert (len(capacity.homes), capacity.unreadable) == (homes, 2 - homes)


def test_rows_that_a_changed_variant_no_longer_fits_are_left_out_and_counted(tmp_path: Path) -> None:
    take(tmp_path, "cld", [service()])
    say_variant('Event_Start_Date = "Began"')
    file = tmp_path / "cld.csv"
    file.write_text(file.read_text("utf-8").replace("Event_Start_Date", "Began", 1).replace("2026-01-05", "2026-01-06"))
    take_file(path=file, feed="cld", organisation_code=COUNCIL, actor=ACTOR, at=AT)
    assert read("cld").unreadable == 0
    say_variant("")
    found = read("cld", "Gender")
    assert (found.from_date, len(found.columns["Gender"]), found.unreadable) == ([date(2026, 1, 5)], 1, 1)


def test_a_row_corrected_by_hand_is_not_the_newest_submission(tmp_path: Path) -> None:
    take(tmp_path, "cld", [service(Gender="?", Delivery_Mechanism="?"), service(Event_Start_Date="soon")])
    before = facts.field_quality("cld")
    ((row, body),) = select("SELECT id, body FROM record_quarantined")
    correct(quarantined_id=row, body=bytes(body).replace(b"soon", b"2025-05-05"), actor=ACTOR, at=AT)
    assert before and facts.field_quality("cld") == before


# -- the national data opt-out -----------------------------------------------------------------------------


def people_read(at: datetime = AT) -> tuple[list[str], int]:
    """Which council's people the rows are about that a job may read, and how many were left out."""
    rows = open_rows(feed="cld", actor=JOB, at=at)
    found = facts.return_columns(rows, YEAR, ["Event_Type"])
    return found.subject, found.opted_out


def test_rows_of_who_opted_out_or_was_not_checked_lately_are_left_out_of_planning(tmp_path: Path) -> None:
    first, second = NUMBERS
    unasked = "9990000034"
    numbers = (first, second, unasked, "")
    take(
        tmp_path,
        "cld",
        [service(NHS_Number=each, LA_Person_Unique_Identifier=f"{n}") for n, each in enumerate(numbers)],
    )
    subjects, left_out = people_read()
    assert (len(subjects), left_out) == (3, 1)  # a row without a number cannot be asked about
    later = AT + timedelta(days=7)
    checked = check_opt_outs(tmp_path, [second, unasked], [unasked], later)
    assert checked == OptOuts(2, 1, later.date() + timedelta(days=21))
    assert people_read(later)[1] == 1
    assert people_read(AT + timedelta(days=21))[1] == 2  # the first check is too old by then
    assert people_read(later + timedelta(days=21))[1] == 3


@pytest.mark.parametrize(
    ("asked", "allowed", "says"),
    [
        (b"", b"", "holds no NHS number"),
        (b"9990000018,", b"9990000026,", "did not ask about"),
        (b"9990000018,\r\n9990000019,", b"", "asked.csv, line 2: this is no NHS number"),
        (b"9990000018", b"Ann Ash", "allowed.csv, line 1: this is no NHS number"),
    ],
)
def test_an_answer_that_does_not_fit_its_question_is_refused_and_nothing_is_taken(
    tmp_path: Path, asked: bytes, allowed: bytes, says: str
) -> None:
    (tmp_path / "asked.csv").write_bytes(asked)
    (tmp_path / "allowed.csv").write_bytes(allowed)
    with pytest.raises(Refused, match=says) as refused:
        take_opt_outs(asked=tmp_path / "asked.csv", allowed=tmp_path / "allowed.csv", actor=ACTOR, at=AT)
    assert "999000" not in str(refused.value) and "Ash" not in str(refused.value)
    assert select("SELECT COUNT(*) FROM record_optoutcheck") == [(1,)]
