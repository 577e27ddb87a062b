"""What ships as data. Each kind of definition has its parser elsewhere; here is only what there is."""

# The feeds, as `feeds/*.toml` define them: direct care first, then returns, then registers.
FEEDS = ("adt", "fhir", "mods", "council", "capacity", "cld", "apc", "ecds", "cqc", "ods")
# The feed of what is written here and filed as FHIR. It has no file: nobody sends it.
OWN_FEED = "joinery"
