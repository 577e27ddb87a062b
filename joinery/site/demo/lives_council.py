"""Made-up social care: what a council's case system holds of a person."""

import random
from datetime import timedelta

from joinery.site.demo import lives_provider
from joinery.site.demo.diary import Diary, at_clock, in_hours, working_day
from joinery.site.demo.events import definitions
from joinery.site.demo.lives_health import age_band
from joinery.site.demo.population import Person

COUNCIL = "999"
TO_ASSESSMENT = "Progress to assessment, review or reassessment"
TO_SERVICES = "Progress to support planning or services"
CONTINUE = "Continuation of support or services"
ADVICE = "NFA: Information and advice or signposting"
HOME_CARE = "Home support or domiciliary care"


def council(diary: Diary, rng: random.Random, household: list[Person]) -> None:
    """A request; for some an assessment, a worker, services and their review; alerts and family."""
    in_care_home = diary.person.address_1 == definitions("place")["care_home"]["line"]
    share = (0.08, 0.15, 0.36, 0.66)[age_band(diary.age_years())]
    if diary.age_years() < 18 or (rng.random() >= share and not in_care_home):
        return
    asked = in_hours(rng, working_day(diary.days_ago(rng.randint(40, 520))))
    service = "adult_social_care"
    carer = len(household) > 1 and 40 <= diary.age_years() <= 88 and rng.random() < 0.12
    helped = carer or in_care_home or rng.random() < 0.75
    route = rng.choice(("Community / Other route", "Community / Other route", "Discharge from Hospital"))
    reason = rng.choice(("Help at home", "Equipment", "Safety at home"))
    if carer:
        route, reason = "Community / Other route", "Support for a carer"
    contact = diary.write(asked, "contact_received", COUNCIL, service, route, reason, diary.episode())
    diary.write(
        asked + timedelta(days=1),
        "contact_resolved",
        COUNCIL,
        service,
        TO_ASSESSMENT if helped else ADVICE,
        "",
        contact,
    )
    if helped:
        worker = rng.choice([w["id"] for w in definitions("place")["workers"] if w["team"] != "discharge"])
        _assessed(diary, rng, asked, worker, carer)
        _services(diary, rng, asked + timedelta(days=rng.randint(25, 45)), carer, in_care_home)
        _reviewed(diary, rng, asked, worker)
        _family(diary, rng, asked, household, carer)
    if not carer:
        _alerts(diary, rng, asked, in_care_home)
    lives_provider.care_provider(diary, rng)


def _assessed(diary: Diary, rng: random.Random, asked, worker: str, carer: bool) -> None:
    """The referral, the named worker and the first assessment."""
    service, kind = "adult_social_care", "carer" if carer else rng.choice(("care act", "care act", "OT"))
    reason = "Social Support: Support to Carer" if carer else _support_reason(diary, rng)
    referral = diary.write(
        asked + timedelta(days=1), "referred", COUNCIL, service, "routine", "Assessment asked for", diary.episode()
    )
    diary.write(asked + timedelta(days=2), "accepted", COUNCIL, service, reason, "", referral)
    allocation = diary.write(
        asked + timedelta(days=3), "worker_allocated", COUNCIL, service, "lead", worker, diary.episode()
    )
    began = in_hours(rng, working_day(asked.date() + timedelta(days=rng.randint(9, 14))))
    assessment = diary.write(began, "assessment_started", COUNCIL, service, kind, worker, diary.episode())
    done = began + timedelta(days=rng.randint(1, 8))
    diary.write(done, "assessed", COUNCIL, service, kind, TO_SERVICES, assessment)
    diary.write(done, "referral_closed", COUNCIL, service, TO_SERVICES, "", referral)
    if rng.random() < 0.4:
        diary.write(asked + timedelta(days=90), "worker_released", COUNCIL, service, "", "", allocation)


def _support_reason(diary: Diary, rng: random.Random) -> str:
    """A primary support reason (CLD list) that fits the person's health record and age."""
    if any(row.code == "26929004" for row in diary.rows):
        return "Support with Memory & Cognition"
    if diary.age_years() < 65:
        return rng.choice(
            ("Learning Disability Support", "Mental Health Support", "Physical Support: Personal care support")
        )
    return rng.choice(("Physical Support: Personal care support", "Physical Support: Access & mobility only"))


def _services(diary: Diary, rng: random.Random, start, carer: bool, in_care_home: bool) -> None:
    """What the person is given. Some of it changes yesterday, some has ended."""
    if carer:
        kinds = [("carers_service", "Unpaid carer universal services", "1 visit")]
    elif in_care_home:
        kinds = [("care_home_orchard", "Long term residential care", "7 days")]
    else:
        kinds = rng.choice(
            (
                [
                    (
                        rng.choice(("home_care_harbour", "home_care_tern")),
                        HOME_CARE,
                        f"{rng.choice((5.25, 7, 10.5, 14))} hours",
                    )
                ],
                [("reablement", "Reablement", "10 hours")],
                [("equipment_store", "Equipment", "1 item"), ("home_care_tern", HOME_CARE, "7 hours")],
                [("day_support", "Day support", "2 days")],
                [("adult_social_care", "Direct payment", "8 hours")],
            )
        )
    for service, component, amount in kinds:
        episode = diary.write(start, "service_started", COUNCIL, service, component, amount, diary.episode())
        if component == "Reablement":
            diary.write(
                start + timedelta(days=42),
                "service_ended",
                COUNCIL,
                service,
                "as_planned",
                "Support ended as planned",
                episode,
            )
        elif rng.random() < 0.08:
            diary.write(
                in_hours(rng, diary.last_day),
                "service_changed",
                COUNCIL,
                service,
                component,
                f"{float(amount.split()[0]) * 1.5:g} {amount.split()[1]}",
                episode,
            )
        elif rng.random() < 0.1 and not in_care_home:
            diary.write(
                start + timedelta(days=rng.randint(60, 200)),
                "service_ended",
                COUNCIL,
                service,
                "other",
                "Support ended for other reason",
                episode,
            )


def _reviewed(diary: Diary, rng: random.Random, asked, worker: str) -> None:
    """The yearly review, where a year has gone by."""
    began = in_hours(rng, working_day(asked.date() + timedelta(days=rng.randint(330, 400))))
    review = diary.write(began, "assessment_started", COUNCIL, "adult_social_care", "review", worker, diary.episode())
    diary.write(began + timedelta(days=2), "assessed", COUNCIL, "adult_social_care", "review", CONTINUE, review)


def _family(diary: Diary, rng: random.Random, asked, household: list[Person], carer: bool) -> None:
    """Who in the household matters, and whether they care for the person; for a carer it is the other way round."""
    for other in household:
        gap = diary.person.birth_date.year - other.birth_date.year
        if other.person == diary.person.person or gap > 15 or other.age_years(diary.as_of) < 18:
            continue
        word = "spouse" if gap > -15 else "son" if other.gender == "male" else "daughter"
        roles = "carer next_of_kin emergency" if not carer and rng.random() < 0.5 else "next_of_kin emergency"
        diary.write(
            asked + timedelta(days=3),
            "relationship_recorded",
            COUNCIL,
            "adult_social_care",
            word,
            f"{other.person} {roles}",
            diary.episode(),
        )


def _alerts(diary: Diary, rng: random.Random, asked, in_care_home: bool) -> None:
    """Warnings for those who visit, fewer kinds of them in a care home; a few have ended."""
    choices = (
        ("key_safe", "Key safe by the front door. Ask the team for the number"),
        ("hearing", "Hard of hearing: speak slowly and face to face"),
        ("large_print", "Write in large print"),
        ("dog", "Dog in the house: ring first"),
        ("129839007", "Risk of falls"),
        ("two_staff", "Visit in twos"),
        ("safeguarding", "Safeguarding: call the team"),
    )
    if rng.random() < 0.45:
        code, words = rng.choices(choices, (0, 4, 3, 0, 5, 0, 1) if in_care_home else (6, 4, 3, 2, 5, 1, 1))[0]
        alert = diary.write(
            asked + timedelta(days=12), "alert_raised", COUNCIL, "adult_social_care", code, words, diary.episode()
        )
        if rng.random() < 0.2:
            ended = at_clock(diary.last_day if rng.random() < 0.4 else asked.date() + timedelta(days=30), 11, 0)
            diary.write(
                max(ended, asked + timedelta(days=12, hours=1)),
                "alert_ended",
                COUNCIL,
                "adult_social_care",
                code,
                "",
                alert,
            )
