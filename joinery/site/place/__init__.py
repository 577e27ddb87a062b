"""Pages of the directory: the place on a day, its bodies, proposals, what waits, and the set-up."""
