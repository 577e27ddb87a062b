"""Pages about who is who: why records are one person, who says what, and the pairs that wait for people."""
