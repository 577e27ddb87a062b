"""Made-up care: what a home-care provider and a care home write of the people they look after."""

import random
from datetime import datetime, timedelta

from joinery.site.demo.diary import Diary, at_clock, in_hours
from joinery.site.demo.events import Event, definitions

HARBOUR, ORCHARD = "1-999000102", "1-999000104"
PROVIDERS = {"home_care_harbour": HARBOUR, "care_home_orchard": ORCHARD}


def care_provider(diary: Diary, rng: random.Random) -> None:
    """The record of whoever provides the care that the council has arranged, where that provider keeps one."""
    for started in [row for row in diary.rows if row.event == "service_started" and row.service in PROVIDERS]:
        _Record(diary, rng, started).write()


class _Record:
    """One provider's record of one person, from the day on which the care began."""

    def __init__(self, diary: Diary, rng: random.Random, started: Event) -> None:
        self.diary = diary
        self.rng = rng
        self.began = started.at
        self.care_home = started.service == "care_home_orchard"
        self.service = (PROVIDERS[started.service], started.service)
        self.started = started

    def write(self) -> None:
        """All of it."""
        self._plan()
        self._needs_and_risks()
        self._medicines_and_allergies()
        self._legal()
        self._family()
        self._what_happened()

    def told(self, event: str, code: str, *lines: tuple[datetime, str]) -> int:
        """One episode, a line for each time that something was written of it. Returns the episode."""
        episode = self.diary.episode()
        for at, words in lines:
            self.diary.write(at, event, *self.service, code, words, episode)
        return episode

    def later(self, days: int) -> datetime:
        """In office hours, some days after the care began."""
        return in_hours(self.rng, self.began.date() + timedelta(days=days))

    def _recently(self, days: int) -> datetime:
        """In office hours in the last days, but after the first days of the care."""
        day = self.diary.days_ago(self.rng.randint(1, days))
        return max(in_hours(self.rng, day), self.began + timedelta(days=4))

    def _plan(self) -> None:
        kind = "care_home" if self.care_home else "home_care"
        if self.care_home:
            self.told("admitted", "home", (self.began, "Could not stay at home any longer"))
        else:
            self.told("visits_agreed", self.started.code, (self.began, self.started.value))
        title = "Care in the home" if self.care_home else "Help at home"
        plan = self.told("plan_agreed", kind, (self.later(2), title))
        if self.rng.random() < 0.4:
            self.diary.write(self._recently(50), "plan_reviewed", *self.service, kind, "Goes on unchanged", plan)
        self.told("goal_set", "", (self.later(3), self.rng.choice(definitions("clinical")["goals"]["words"])))

    def _needs_and_risks(self) -> None:
        needs, risks = definitions("clinical")["needs"], definitions("clinical")["risks"]
        for word in self.rng.sample(list(needs), self.rng.randint(1, 3)):
            self.told("need_recorded", word, (self.later(2), needs[word]["text"]))
        for word in self.rng.sample(list(risks), self.rng.randint(1, 2)):
            lines = [(self.later(2), risks[word]["text"])]
            if self.rng.random() < 0.5:
                lines.append((self._recently(40), risks[word]["again"]))
            self.told("risk_recorded", word, *lines)
        keys = [row for row in self.diary.rows if row.event == "alert_raised" and row.code in ("key_safe", "dog")]
        for row in keys[:1]:
            self.told("alert_raised", row.code, (self.later(1), row.value))

    def _medicines_and_allergies(self) -> None:
        """What comes from the pharmacy, and the answer to the question after allergies: one in five was not asked."""
        began, dropped = self.began, {r.episode for r in self.diary.rows if r.event == "medicine_stopped"}
        taken = [r for r in self.diary.rows if r.event == "medicine_started" and r.episode not in dropped]
        for row in [r for r in taken if r.at < began][:4]:
            self.told("medicine_started", row.code, (self.later(1), row.value))
        known = [r for r in self.diary.rows if r.event == "allergy_recorded" and r.code != "387005008"]
        if self.rng.random() < 0.8:
            if known:
                self.told("allergy_recorded", known[0].code, (self.later(1), known[0].value))
            else:
                self.told("no_known_allergies", "716186003", (self.later(1), ""))

    def _legal(self) -> None:
        """In a care home: a ReSPECT plan for most; for those who cannot decide, DoLS, which some have let expire."""
        if not self.care_home:
            return
        if self.rng.random() < 0.6:
            decision = self.rng.choice(("Not for attempted CPR", "Hospital only for comfort", "For full treatment"))
            self.told("legal_recorded", "ReSPECT", (self.later(20), decision))
        if any(row.code == "26929004" for row in self.diary.rows) or self.rng.random() < 0.4:
            self.told("legal_recorded", "MCA", (self.later(9), "Cannot decide where to live"))
            self.told("legal_recorded", "DoLS", (self.later(30), "granted"))

    def _family(self) -> None:
        for row in [r for r in self.diary.rows if r.event == "relationship_recorded"][:1]:
            self.told("relationship_recorded", row.code, (self.later(1), row.value))

    def _what_happened(self) -> None:
        """A weight each month in the home; a fall or a near fall; two notes of the last days."""
        weight = self.rng.gauss(66, 11)
        for back in (95, 64, 33, 4) if self.care_home else ():
            at, weight = at_clock(self.diary.days_ago(back), 10, 30), weight + self.rng.gauss(-0.4, 0.8)
            if at > self.began:
                self.told("measured", "27113001", (at, f"{weight:.1f}"))
        if self.rng.random() < 0.3:
            word = self.rng.choice(list(definitions("clinical")["incidents"]))
            self.told("incident", word, (self._recently(120), ""))
        for back in (2, 1) if self.rng.random() < 0.3 else ():
            words = self.rng.choice(definitions("clinical")["notes"]["words"])
            at = at_clock(self.diary.days_ago(back), 14, 15)
            if at > self.began:
                self.told("note_written", "", (at, words))
