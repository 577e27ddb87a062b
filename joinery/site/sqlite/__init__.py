"""The database engine for SQLite. Django wants its module to be called `base`."""
