"""Made-up health: what a general practice, community services and a hospital see of a person."""

import random
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from joinery.site.demo.diary import Diary, at_clock, in_hours, working_day
from joinery.site.demo.events import definitions

WINDOW_DAYS = 540  # the stretch of recent life told in detail
SEEN_YESTERDAY = 0.03  # of the people on a practice's list, on top of chance, so that each day's file has news
COMMUNITY = "ZC1"
HOSPITAL = "ZH1"
WARD_FOR = {
    "Fall": "plover",
    "Chest pain": "heron",
    "Breathlessness": "heron",
    "Confusion": "kestrel",
    "Abdominal pain": "kestrel",
}


def age_band(age_years: int) -> int:
    """0 under 40, 1 for 40 to 64, 2 for 65 to 79, 3 for 80 and over: the bands of the definition files."""
    return (age_years >= 40) + (age_years >= 65) + (age_years >= 80)


def general_practice(diary: Diary, rng: random.Random) -> None:
    """Registration, problems and medicines, allergies, appointments, measurements, vaccinations, flags."""
    practice = diary.person.gp_practice
    registered = diary.days_ago(rng.randint(200, 30 * 365))
    diary.write(in_hours(rng, registered), "registered", practice, "general_practice")
    problems = _problems(diary, rng, registered)
    _allergies(diary, rng, registered, hiv="86406008" in problems)
    _appointments(diary, rng, registered, problems)
    _vaccinations(diary, rng, registered)
    if age_band(diary.age_years()) == 3:
        for code, words, share in (("248279007", "Frailty", 0.25), ("129839007", "Risk of falls", 0.2)):
            if rng.random() < share:
                day = _recent(diary, rng, registered)
                diary.write(
                    in_hours(rng, day), "alert_raised", practice, "general_practice", code, words, diary.episode()
                )


def _recent(diary: Diary, rng: random.Random, earliest: date) -> date:
    """A working day in the recent window, not before `earliest`."""
    return working_day(max(earliest + timedelta(days=3), diary.days_ago(rng.randint(1, WINDOW_DAYS))))


def _problems(diary: Diary, rng: random.Random, registered: date) -> dict[str, str]:
    """Long-term problems with their medicines. Returns code -> name."""
    practice, band, found = diary.person.gp_practice, age_band(diary.age_years()), {}
    for problem in definitions("clinical")["problems"]:
        wrong_gender = problem.get("gender", diary.person.gender) != diary.person.gender
        if rng.random() >= problem["shares"][band] or wrong_gender:
            continue
        found[problem["code"]] = problem["name"]
        longest = max(40, min(15 * 365, (diary.as_of - registered).days - 10))
        at = in_hours(rng, working_day(diary.days_ago(rng.randint(30, longest))))
        diary.write(at, "problem_recorded", practice, "general_practice", problem["code"], "", diary.episode())
        for word in problem["medicines"]:
            if rng.random() < 0.85:
                _medicine(diary, rng, word, at + timedelta(days=rng.choice((0, 0, 7, 14))))
    return found


def _medicine(diary: Diary, rng: random.Random, word: str, at) -> None:
    """A repeat medicine; some are changed yesterday, some stopped."""
    practice, dose = diary.person.gp_practice, definitions("clinical")["medicines"][word]["dose"]
    if any(row.event == "medicine_started" and row.code == word for row in diary.rows):
        return
    episode = diary.write(at, "medicine_started", practice, "general_practice", word, dose, diary.episode())
    fate = rng.random()
    if fate < 0.04:
        yesterday = in_hours(rng, diary.last_day)
        diary.write(
            yesterday, "medicine_changed", practice, "general_practice", word, f"{dose}. Review in 4 weeks", episode
        )
    elif fate < 0.14:
        stopped = in_hours(rng, working_day(diary.days_ago(rng.randint(1, WINDOW_DAYS))))
        if stopped > at:
            diary.write(
                stopped,
                "medicine_stopped",
                practice,
                "general_practice",
                word,
                rng.choice(("Side effects", "No longer needed", "Changed to another medicine")),
                episode,
            )


def _allergies(diary: Diary, rng: random.Random, registered: date, hiv: bool) -> None:
    """An allergy, a statement that there are none, or nothing recorded at all."""
    practice, allergies = diary.person.gp_practice, definitions("clinical")["allergies"]
    at, draw = in_hours(rng, registered), rng.random()
    weights = [row["weight"] for row in allergies.values()]
    if hiv:
        diary.write(
            at,
            "allergy_recorded",
            practice,
            "general_practice",
            "387005008",
            allergies["387005008"]["reaction"],
            diary.episode(),
        )
    elif draw < 0.22:
        code = rng.choices(list(allergies), weights)[0]
        diary.write(
            at, "allergy_recorded", practice, "general_practice", code, allergies[code]["reaction"], diary.episode()
        )
    elif draw < 0.72:
        diary.write(at, "no_known_allergies", practice, "general_practice", "716186003", "", diary.episode())


def _appointments(diary: Diary, rng: random.Random, registered: date, problems: dict[str, str]) -> None:
    """Recent appointments, what was measured at them, and short illnesses treated."""
    practice, age = diary.person.gp_practice, diary.age_years()
    reasons = definitions("clinical")["reasons"]["child" if age < 16 else "adult" if age < 65 else "older"]
    often = (0, 4) if age < 16 else (0, 5) if age < 65 else (3, 10)
    days = [_recent(diary, rng, registered) for _ in range(rng.randint(*often))]
    if rng.random() < SEEN_YESTERDAY:
        days.append(max(registered, working_day(diary.last_day)))
    for day in sorted(days):
        at, service = in_hours(rng, day), "general_practice"
        modes = ("face_to_face", "telephone", "home_visit")
        mode = rng.choices(modes, (6, 4, 1 if age >= 80 else 0))[0]
        reason = (
            f"{rng.choice(list(problems.values()))} review"
            if problems and rng.random() < 0.3
            else (rng.choice(reasons))
        )
        diary.write(at, "contact", practice, service, mode, reason, diary.episode())
        if mode != "telephone":
            for code, value in _measurements(rng, age, problems):
                diary.write(at, "measured", practice, service, code, value, diary.episode())
        if age >= 18 and rng.random() < 0.12:
            _short_illness(diary, rng, at)


def _measurements(rng: random.Random, age: int, problems: dict[str, str]) -> list[tuple[str, str]]:
    """What is measured at one appointment: (SNOMED CT code, number as text)."""
    high = "38341003" in problems
    possible = [
        (
            0.4 if age >= 40 else 0.05,
            "75367002",
            f"{round(rng.gauss(146 if high else 130, 11))}/{round(rng.gauss(84 if high else 78, 7))}",
        ),
        (0.15, "27113001", f"{max(3.5, rng.gauss(min(74, 4 + 3.6 * age), 9 if age > 15 else 1)):.1f}"),
        (0.5 if "44054006" in problems else 0, "999791000000106", f"{round(rng.gauss(57, 9))}"),
        (0.5 if "433144002" in problems else 0, "1011481000000105", f"{round(rng.gauss(48, 7))}"),
        (0.15 if age >= 80 else 0, "763264000", f"{rng.choice((4, 5, 5, 6, 6, 7))}"),
    ]
    return [(code, value) for share, code, value in possible if rng.random() < share]


def _short_illness(diary: Diary, rng: random.Random, at) -> None:
    """An infection with a course of medicine, over some days later; never a penicillin for the allergic."""
    illnesses = definitions("clinical")["episodes"]
    code = rng.choice(list(illnesses))
    illness, practice, service = illnesses[code], diary.person.gp_practice, "general_practice"
    over = at + timedelta(days=illness["days"])
    episode = diary.write(at, "problem_recorded", practice, service, code, "", diary.episode())
    diary.write(over, "problem_ended", practice, service, code, "", episode)
    word = illness["medicine"]
    if word == "flucloxacillin" and any(row.code == "91936005" for row in diary.rows):
        word = "doxycycline"
    if word:
        dose = definitions("clinical")["medicines"][word]["dose"]
        course = diary.write(at, "medicine_started", practice, service, word, dose, diary.episode())
        diary.write(over, "medicine_stopped", practice, service, word, "Course finished", course)


def _vaccinations(diary: Diary, rng: random.Random, registered: date) -> None:
    """Flu each autumn for older people, the once-only ones, and MMR for children."""
    practice, birth, age = diary.person.gp_practice, diary.person.birth_date, diary.age_years()
    due: list[tuple[float, str, date]] = []
    if age >= 66:
        due += [(0.8, "822851000000102", date(diary.as_of.year - back, 10, 1)) for back in (2, 1, 0)]
        due += [(0.7, "12866006", birth + timedelta(days=65 * 366))]
    if age >= 71:
        due += [(0.6, "722215002", birth + timedelta(days=70 * 366))]
    if 2 <= age <= 17:
        due += [(0.92, "38598009", birth + timedelta(days=400))]
    for share, code, day in due:
        given = working_day(day + timedelta(days=rng.randint(4, 45)))
        if rng.random() < share and given > registered:
            diary.write(in_hours(rng, given), "immunised", practice, "general_practice", code, "", diary.episode())


def community(diary: Diary, rng: random.Random) -> None:
    """District nursing or therapy: a referral, visits over weeks, an end."""
    if rng.random() >= (0.15, 0.28, 0.55, 0.78)[age_band(diary.age_years())]:
        return
    nursing = diary.age_years() >= 18 and rng.random() < 0.6
    service = "district_nursing" if nursing else "community_therapy"
    visits = definitions("clinical")["nursing" if nursing else "therapy"]["visits"]
    reason = rng.choice(visits)
    asked = in_hours(rng, working_day(diary.days_ago(rng.randint(10, 480))))
    episode = diary.write(asked, "referred", COMMUNITY, service, "routine", reason, diary.episode())
    if rng.random() < 0.05:
        diary.write(
            asked + timedelta(days=3),
            "declined",
            COMMUNITY,
            service,
            "not_suitable",
            "Does not meet the criteria",
            episode,
        )
        return
    diary.write(asked + timedelta(days=rng.randint(1, 6)), "accepted", COMMUNITY, service, "", "", episode)
    _allergies_asked(diary, rng, asked + timedelta(days=7), COMMUNITY, service)
    day, gap = asked.date() + timedelta(days=7), rng.choice((3, 7, 7, 14))
    for _ in range(rng.randint(3, 14)):
        at, what = in_hours(rng, day), reason if nursing else rng.choice(visits)
        diary.write(at, "contact", COMMUNITY, service, "home_visit", what, diary.episode())
        if nursing and rng.random() < 0.15:
            diary.write(at, "measured", COMMUNITY, service, "431314004", str(rng.randint(92, 99)), diary.episode())
        day += timedelta(days=gap)
    diary.write(in_hours(rng, day), "referral_closed", COMMUNITY, service, "completed", "", episode)
    if rng.random() < 0.08:
        code, words = rng.choice(
            (
                ("two_staff", "Visit in twos"),
                ("dog", "Large dog: ring before visiting"),
                ("oxygen", "Oxygen in the home: no smoking"),
            )
        )
        diary.write(
            in_hours(rng, asked.date() + timedelta(days=7)),
            "alert_raised",
            COMMUNITY,
            service,
            code,
            words,
            diary.episode(),
        )


def _allergies_asked(diary: Diary, rng: random.Random, at, organisation: str, service: str) -> None:
    """A nurse asks too. Most answers agree with the practice; one in seven says there are none."""
    known = [row for row in diary.rows if row.event == "allergy_recorded" and row.code != "387005008"]
    draw = rng.random()
    if known and draw < 0.5:
        diary.write(at, "allergy_recorded", organisation, service, known[0].code, known[0].value, diary.episode())
    elif draw < 0.65:
        diary.write(at, "no_known_allergies", organisation, service, "716186003", "", diary.episode())


class Stay(NamedTuple):
    """A stay in hospital. A bed was free at `bed_at`; whoever is ready waits for the service `waits_for`."""

    came: datetime
    bed_at: datetime
    ready: datetime
    left: datetime
    waits_for: str = "home"


def hospital(diary: Diary, rng: random.Random, stays: Iterable[Stay]) -> None:
    """The emergency stays, but for those before the first days of life."""
    for each in stays:
        if each.came.date() >= diary.days_ago(WINDOW_DAYS):
            stay(diary, rng, rng.choice(list(WARD_FOR)), each)


def stay(diary: Diary, rng: random.Random, why: str, times: Stay) -> None:
    """From the door to the way home, the letter to the practice, and home care paused."""
    came, bed_at, ready, left, waits_for = times
    stay, ward = diary.episode(), (HOSPITAL, "acute_ward")
    # Hours in the emergency department go by even where a bed is free; not all of a short stay, though.
    admitted = max(bed_at, min(came + timedelta(hours=5), came + (ready - came) / 2))
    nights = (left.date() - admitted.date()).days
    diary.write(came, "arrived", HOSPITAL, "emergency_department", "ambulance", why, stay)
    _allergies_asked(diary, rng, came + timedelta(hours=1), HOSPITAL, "emergency_department")
    diary.write(admitted, "admitted", *ward, "21", why, stay)
    if nights > 1 and rng.random() < 0.8:
        diary.write(admitted + timedelta(hours=rng.randint(6, 18)), "moved_ward", *ward, WARD_FOR[why], "", stay)
    _expected_to_leave(diary, rng, admitted, ready, stay)
    diary.write(ready, "ready", *ward, waits_for, "", stay)
    in_care_home = diary.person.address_1 == definitions("place")["care_home"]["line"]
    diary.write(left, "discharged", *ward, "85" if in_care_home else "19", "1", stay)
    diary.write(
        at_clock(left.date() + timedelta(days=2), 9, 0),
        "contact",
        diary.person.gp_practice,
        "general_practice",
        "letter",
        f"Discharge letter: {why.lower()}, {nights} nights in hospital",
        diary.episode(),
    )
    _home_care_paused(diary, came, left)


def _expected_to_leave(diary: Diary, rng: random.Random, admitted: datetime, ready: datetime, stay: int) -> None:
    """The date set on the first morning round; where it was too early it is put off on the day itself."""
    first_round, leaves = at_clock(admitted.date() + timedelta(days=1), 9, 40), ready.date()
    if ready <= first_round:
        return
    hoped = max(leaves - timedelta(days=rng.choice((0, 0, 1, 2))), first_round.date())
    diary.write(first_round, "expected_to_leave", HOSPITAL, "acute_ward", "", hoped.isoformat(), stay)
    if hoped < leaves and rng.random() < 0.6:
        put_off = max(at_clock(hoped, 9, 50), first_round + timedelta(hours=1))
        diary.write(put_off, "expected_to_leave", HOSPITAL, "acute_ward", "", leaves.isoformat(), stay)


def _home_care_paused(diary: Diary, came: datetime, left: datetime) -> None:
    """Whatever home care the person has waits until they are back."""
    for row in [r for r in diary.rows if r.event == "service_started" and r.at < came]:
        ended = any(r.episode == row.episode and r.event == "service_ended" for r in diary.rows)
        if row.service.startswith("home_care") and not ended:
            at = at_clock(came.date() + timedelta(days=1), 9, 15)
            diary.write(at, "service_paused", row.organisation, row.service, "hospital", "In hospital", row.episode)
            diary.write(
                left + timedelta(hours=2), "service_resumed", row.organisation, row.service, "", "", row.episode
            )


def emergency_department(diary: Diary, rng: random.Random) -> None:
    """Came, was seen, and went home within some hours: most who come do. Never about a stay in a bed."""
    if rng.random() >= (0.14, 0.12, 0.15, 0.22)[age_band(diary.age_years())]:
        return
    day, department = diary.days_ago(rng.randint(5, 500)), (HOSPITAL, "emergency_department")
    if any(row.organisation == HOSPITAL and abs((row.at.date() - day).days) < 30 for row in diary.rows):
        return
    came, visit = at_clock(day, rng.randint(7, 23), rng.randrange(60)), diary.episode()
    mode = rng.choice(("own_transport", "own_transport", "ambulance"))
    diary.write(came, "arrived", *department, mode, rng.choice(list(WARD_FOR)), visit)
    diary.write(came + timedelta(minutes=rng.randint(50, 400)), "discharged", *department, "19", "1", visit)
