"""What ships as data. Each kind of definition has its parser elsewhere; here is only what there is."""

# The feeds, as `feeds/*.toml` define them: direct care first, then returns, then registers.
FEEDS = ("adt", "fhir", "mods", "council", "capacity", "cld", "apc", "ecds", "cqc", "ods")
