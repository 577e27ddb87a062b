"""What an entry says at the top of a person's page: `Entry.banner`, as a section and a state.

Every reader of a feed writes these names, and the page reads them; nothing else does. The states are those
of `docs/explanation/six-kinds-of-nothing.md`.
"""

from __future__ import annotations

ALLERGIES, ALERTS, MEDICINES, PROBLEMS = "Allergies", "Alerts", "Medicines", "Problems"
PRESENT, ASSERTED_NONE, NONE_RECORDED = "present", "asserted_none", "none_recorded"
WITHHELD, INCOMPLETE = "withheld", "incomplete"

# `no_…` is said by somebody; `…_empty` (for allergies `no_list`) is a list that holds nothing; `…_held` is a
# list that its source keeps back; `…_part` is known to be partial.
BANNERS = {
    "allergy": (ALLERGIES, PRESENT),
    "no_allergy": (ALLERGIES, ASSERTED_NONE),
    "no_list": (ALLERGIES, NONE_RECORDED),
    "allergy_held": (ALLERGIES, WITHHELD),
    "allergy_part": (ALLERGIES, INCOMPLETE),
    "alert": (ALERTS, PRESENT),
    "medicine": (MEDICINES, PRESENT),
    "no_medicine": (MEDICINES, ASSERTED_NONE),
    "meds_empty": (MEDICINES, NONE_RECORDED),
    "meds_held": (MEDICINES, WITHHELD),
    "meds_part": (MEDICINES, INCOMPLETE),
    "problem": (PROBLEMS, PRESENT),
    "no_problem": (PROBLEMS, ASSERTED_NONE),
    "probs_empty": (PROBLEMS, NONE_RECORDED),
    "probs_held": (PROBLEMS, WITHHELD),
    "probs_part": (PROBLEMS, INCOMPLETE),
}
