"""Deciding that two records are about the same person."""
