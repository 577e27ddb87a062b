"""Pages of feeds: at a glance, what could not be taken, and taking a file."""
