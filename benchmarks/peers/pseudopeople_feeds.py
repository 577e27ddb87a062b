"""Five American feeds of made-up people with pseudopeople's own noise, from the sample data in its package.

Prints nothing but a count; the truth is the column `simulant_id`. Runs in .venv-bench.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd
import pseudopeople

YEAR, SEED = 2020, 1
FEEDS = {
    "census": pseudopeople.generate_decennial_census,
    "social_security": pseudopeople.generate_social_security,
    "wic": pseudopeople.generate_women_infants_and_children,
    "community_survey": pseudopeople.generate_american_community_survey,
    "population_survey": pseudopeople.generate_current_population_survey,
}
COLUMNS = (
    "simulant_id", "first_name", "middle_initial", "last_name", "date_of_birth", "sex", "street_number", "street_name",
    "unit_number", "city", "state", "zipcode", "ssn",
)  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("file", type=Path)
    options.add_argument("--seed", type=int, default=SEED)
    chosen = options.parse_args()
    feeds = [generate(year=YEAR, seed=chosen.seed).assign(feed=name) for name, generate in FEEDS.items()]
    rows = pd.concat(feeds, ignore_index=True)
    kept = rows[["feed", *(column for column in COLUMNS if column in rows.columns)]]
    kept.to_csv(chosen.file, index=False)
    print(json.dumps({"rows": len(kept), "people": int(kept["simulant_id"].nunique())}))


if __name__ == "__main__":
    main()
