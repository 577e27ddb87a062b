"""Mrs Margaret Smith, who likes to be called Peggy: the life that tests, pages and screenshots can count on.

Person 0 is told by hand, in days before the as-of date, and never touched by chance: a fall and a broken wrist,
reablement, home care, a medicines review, a Care Act review, and a nurse who came yesterday. Person 1 is her son
David, her carer and attorney.
"""

from datetime import date, datetime, timedelta

from joinery.site.demo.diary import Diary, at_clock
from joinery.site.demo.events import definitions
from joinery.site.demo.lives_council import CONTINUE, HOME_CARE, TO_ASSESSMENT, TO_SERVICES
from joinery.site.demo.lives_health import COMMUNITY, HOSPITAL
from joinery.site.demo.lives_provider import HARBOUR

SURGERY = "Z90001"
COUNCIL = "999"
SUPPORT_REASON = "Physical Support: Personal care support"
ROUTE = "Discharge from Hospital"
CARER_SERVICE = "Unpaid carer universal services"


def margaret(diary: Diary) -> None:
    """Write Mrs Smith's life."""

    # Counted from a Saturday, so that offices are open whatever the as-of date; yesterday is yesterday.
    saturday = diary.as_of - timedelta(days=(diary.as_of.weekday() - 5) % 7)

    def ago(days: int, hour: int, minute: int = 0) -> datetime:
        day = diary.last_day if days == 1 else saturday - timedelta(days=days)
        return at_clock(day, hour, minute)

    _long_ago(diary)
    _at_the_surgery(diary, ago)
    _in_hospital(diary, ago)
    _nurses_and_therapists(diary, ago)
    _at_the_council(diary, ago)
    _care_at_home(diary, ago)
    _what_her_carers_write(diary, ago)


def _medicine(diary: Diary, at: datetime, word: str) -> int:
    """Start a medicine at the surgery. Returns its episode."""
    dose = definitions("clinical")["medicines"][word]["dose"]
    return diary.write(at, "medicine_started", SURGERY, "general_practice", word, dose, diary.episode())


def _seen(diary: Diary, at: datetime, mode: str, reason: str, blood_pressure: str = "") -> None:
    """A contact with the surgery, perhaps with a blood pressure."""
    diary.write(at, "contact", SURGERY, "general_practice", mode, reason, diary.episode())
    if blood_pressure:
        diary.write(at, "measured", SURGERY, "general_practice", "75367002", blood_pressure, diary.episode())


def _long_ago(diary: Diary) -> None:
    """What the surgery has known for years, on fixed dates."""
    gp = (SURGERY, "general_practice")
    registered = at_clock(date(1998, 4, 6), 10, 15)
    diary.write(registered, "registered", *gp)
    diary.write(registered, "allergy_recorded", *gp, "91936005", "Widespread rash", diary.episode())
    for code, day in (
        ("38341003", date(2009, 6, 11)),
        ("239873007", date(2014, 2, 20)),
        ("15188001", date(2021, 9, 7)),
    ):
        diary.write(at_clock(day, 11, 20), "problem_recorded", *gp, code, "", diary.episode())
    _medicine(diary, at_clock(date(2009, 6, 11), 11, 30), "amlodipine")
    _medicine(diary, at_clock(date(2014, 2, 20), 11, 30), "paracetamol")
    diary.write(at_clock(date(2013, 10, 2), 9, 40), "immunised", *gp, "722215002", "", diary.episode())


def _at_the_surgery(diary: Diary, ago) -> None:
    """The last eighteen months at Chelmer Road Surgery."""
    gp = (SURGERY, "general_practice")
    _seen(diary, ago(533, 9, 40), "face_to_face", "Blood pressure check", "148/86")
    _seen(diary, ago(431, 10, 10), "telephone", "Poor sleep since her husband's anniversary")
    zopiclone = _medicine(diary, ago(431, 10, 20), "zopiclone")
    for back in (410, 44):
        diary.write(ago(back, 9, 25), "immunised", *gp, "822851000000102", "", diary.episode())
    diary.write(
        ago(256, 9, 5), "problem_recorded", *gp, "263199001", "Left wrist, after a fall at home", diary.episode()
    )
    _seen(diary, ago(250, 9, 0), "letter", "Discharge letter: fall at home, broken left wrist, 5 nights in hospital")
    diary.write(ago(243, 11, 30), "alert_raised", *gp, "129839007", "Risk of falls", diary.episode())
    _seen(diary, ago(243, 11, 15), "home_visit", "Check after hospital", "138/80")
    diary.write(ago(243, 11, 20), "measured", *gp, "763264000", "5", diary.episode())
    _seen(diary, ago(186, 14, 30), "face_to_face", "Bone density result: osteoporosis")
    diary.write(ago(186, 14, 40), "problem_recorded", *gp, "64859006", "", diary.episode())
    _medicine(diary, ago(186, 14, 45), "alendronic_acid")
    _medicine(diary, ago(186, 14, 46), "calcium_vitamin_d")
    _seen(diary, ago(33, 11, 40), "home_visit", "Dizzy on standing, two near falls", "118/64")
    diary.write(ago(33, 11, 45), "measured", *gp, "763264000", "6", diary.episode())
    _seen(
        diary, ago(19, 16, 45), "telephone", "Structured medication review: amlodipine 5mg continued, zopiclone stopped"
    )
    diary.write(ago(19, 16, 50), "medicine_stopped", *gp, "zopiclone", "Adds to the risk of falls", zopiclone)
    _seen(diary, ago(1, 15, 20), "telephone", "Dizziness better since zopiclone was stopped")


def _in_hospital(diary: Diary, ago) -> None:
    """The fall: emergency department, a ward, five nights."""
    stay, ward = diary.episode(), (HOSPITAL, "acute_ward")
    diary.write(ago(257, 6, 50), "arrived", HOSPITAL, "emergency_department", "ambulance", "Fall at home", stay)
    diary.write(
        ago(257, 8, 10), "allergy_recorded", HOSPITAL, "emergency_department", "91936005", "Widespread rash",
        diary.episode(),
    )  # fmt: skip
    diary.write(ago(257, 11, 35), "admitted", *ward, "21", "Broken left wrist after a fall", stay)
    diary.write(ago(257, 17, 45), "moved_ward", *ward, "plover", "", stay)
    diary.write(ago(256, 9, 30), "expected_to_leave", *ward, "", ago(254, 12).date().isoformat(), stay)
    diary.write(ago(254, 10, 40), "ready", *ward, "reablement", "Waiting for reablement to start", stay)
    diary.write(ago(252, 14, 10), "discharged", *ward, "19", "1", stay)


def _nurses_and_therapists(diary: Diary, ago) -> None:
    """Therapy after the fracture; district nurses for a leg wound since last month, still coming."""
    therapy, nurses = (COMMUNITY, "community_therapy"), (COMMUNITY, "district_nursing")
    first = diary.write(
        ago(250, 13, 15), "referred", *therapy, "routine", "Walking and confidence after a fall", diary.episode()
    )
    diary.write(ago(248, 10, 0), "accepted", *therapy, "", "", first)
    for back, what in (
        (246, "Walking and balance assessment"),
        (239, "Home hazards check"),
        (232, "Strength and balance exercises"),
        (218, "Strength and balance exercises"),
        (204, "Review of goals: walks to the shop with a frame"),
    ):
        diary.write(ago(back, 13, 30), "contact", *therapy, "home_visit", what, diary.episode())
    diary.write(ago(246, 14, 0), "alert_raised", *therapy, "129839007", "Risk of falls", diary.episode())
    diary.write(ago(246, 13, 40), "allergy_recorded", *therapy, "91936005", "Widespread rash", diary.episode())
    diary.write(ago(201, 9, 0), "referral_closed", *therapy, "completed", "", first)
    second = diary.write(ago(40, 12, 10), "referred", *nurses, "routine", "Skin tear on the left shin", diary.episode())
    diary.write(ago(39, 8, 50), "accepted", *nurses, "", "", second)
    for back in (38, 33, 31, 26, 24, 19, 17, 12, 10, 5, 3, 1):
        diary.write(
            ago(back, 10, 5 + back), "contact", *nurses, "home_visit", "Dressing of the left shin", diary.episode()
        )


def _at_the_council(diary: Diary, ago) -> None:
    """From the discharge request to the review ten days ago."""
    team, discharge = (COUNCIL, "adult_social_care"), (COUNCIL, "hospital_discharge_team")
    contact = diary.write(
        ago(255, 9, 50),
        "contact_received",
        *discharge,
        ROUTE,
        "Help needed to go home after a broken wrist",
        diary.episode(),
    )
    diary.write(ago(255, 15, 0), "contact_resolved", *discharge, TO_ASSESSMENT, "", contact)
    referral = diary.write(
        ago(255, 15, 5), "referred", *discharge, "urgent", "Discharge to assess at home", diary.episode()
    )
    diary.write(ago(254, 9, 10), "accepted", *discharge, SUPPORT_REASON, "", referral)
    reed = diary.write(ago(254, 9, 15), "worker_allocated", *discharge, "lead", "reed", diary.episode())
    ot = diary.write(ago(253, 10, 0), "assessment_started", *team, "OT", "okoro", diary.episode())
    diary.write(ago(253, 12, 0), "assessed", *team, "OT", TO_SERVICES, ot)
    diary.write(ago(253, 12, 30), "referral_closed", *discharge, TO_SERVICES, "", referral)
    diary.write(ago(215, 9, 0), "worker_released", *discharge, "", "", reed)
    diary.write(ago(215, 9, 0), "worker_allocated", *team, "lead", "shah", diary.episode())
    care_act = diary.write(ago(214, 10, 30), "assessment_started", *team, "care act", "shah", diary.episode())
    diary.write(ago(213, 16, 0), "assessed", *team, "care act", TO_SERVICES, care_act)
    review = diary.write(ago(12, 10, 0), "assessment_started", *team, "review", "shah", diary.episode())
    diary.write(ago(10, 11, 0), "assessed", *team, "review", CONTINUE, review)
    diary.write(
        ago(253, 12, 10),
        "relationship_recorded",
        *team,
        "son",
        "1 carer next_of_kin emergency lpa_health lpa_property",
        diary.episode(),
    )
    for back, code, words in (
        (250, "key_safe", "Key safe to the left of the front door. Ask the team for the number"),
        (213, "129839007", "Risk of falls"),
        (213, "large_print", "Needs large print"),
        (205, "lpa_health", "Lasting power of attorney: son, David Smith"),
    ):
        diary.write(ago(back, 12, 20), "alert_raised", *team, code, words, diary.episode())


def _care_at_home(diary: Diary, ago) -> None:
    """Equipment, six weeks of reablement, then Harbour Home Care: more of it from yesterday."""
    diary.write(ago(253, 14, 30), "service_started", COUNCIL, "equipment_store", "Equipment", "1 item", diary.episode())
    reablement = diary.write(
        ago(251, 8, 0), "service_started", COUNCIL, "reablement", "Reablement", "10 hours", diary.episode()
    )
    diary.write(
        ago(209, 18, 0), "service_ended", COUNCIL, "reablement", "as_planned", "Support ended as planned", reablement
    )
    home_care = diary.write(
        ago(208, 8, 0), "service_started", COUNCIL, "home_care_harbour", HOME_CARE, "7 hours", diary.episode()
    )
    diary.write(ago(1, 8, 0), "service_changed", COUNCIL, "home_care_harbour", HOME_CARE, "10.5 hours", home_care)


def _what_her_carers_write(diary: Diary, ago) -> None:
    """Harbour Home Care's own record of her: what it helps with, what worries it, and who decides with her."""
    carers, first = (HARBOUR, "home_care_harbour"), ago(207, 11, 0)

    def told(event: str, code: str, *lines: tuple[datetime, str]) -> int:
        episode = diary.episode()
        for at, words in lines:
            diary.write(at, event, *carers, code, words, episode)
        return episode

    told("visits_agreed", HOME_CARE, (ago(208, 8, 0), "7 hours"), (ago(1, 8, 0), "10.5 hours"))
    plan = told("plan_agreed", "home_care", (first, "Help at home, morning and evening"))
    diary.write(ago(1, 9, 10), "plan_reviewed", *carers, "home_care", "More time each evening", plan)
    told("need_recorded", "washing", (first, "Needs help to wash and dress since she broke her wrist"))
    told("need_recorded", "medicines", (first, "Wants her tablets put out; takes them herself"))
    told(
        "risk_recorded",
        "falls",
        (first, "Broke her wrist in a fall at home; walks with a frame"),
        (ago(33, 14, 30), "Two near falls, dizzy on standing; the surgery was told"),
    )
    told("goal_set", "", (first, "Walk to the shop with her frame"))
    told("legal_recorded", "LPA", (ago(205, 15, 0), "health_and_welfare"))
    told("relationship_recorded", "son", (first, "1 carer next_of_kin emergency lpa_health lpa_property"))
    told("allergy_recorded", "91936005", (first, "Widespread rash"))
    for word in ("amlodipine", "paracetamol"):
        told("medicine_started", word, (first, definitions("clinical")["medicines"][word]["dose"]))
    told("incident", "near_fall", (ago(34, 8, 20), "Dizzy on rising from her chair; sat down again"))
    told("note_written", "", (ago(1, 8, 40), "Slept well, less dizzy. Breakfast eaten, tablets taken"))


def david(diary: Diary) -> None:
    """The son's own file at the council, as a carer; his health is made up like anyone else's."""
    team, asked = (COUNCIL, "carers_service"), at_clock(diary.as_of - timedelta(days=120), 14, 15)
    contact = diary.write(
        asked, "contact_received", *team, "Community / Other route", "Support for a carer", diary.episode()
    )
    diary.write(asked + timedelta(days=1), "contact_resolved", *team, TO_ASSESSMENT, "", contact)
    assessment = diary.write(
        asked + timedelta(days=10), "assessment_started", *team, "carer", "pascoe", diary.episode()
    )
    diary.write(asked + timedelta(days=10, hours=1), "assessed", *team, "carer", TO_SERVICES, assessment)
    diary.write(asked + timedelta(days=20), "service_started", *team, CARER_SERVICE, "1 visit", diary.episode())
    diary.write(asked + timedelta(days=10), "relationship_recorded", *team, "mother", "0 cared_for", diary.episode())
