"""Running a place forward, event by event."""
