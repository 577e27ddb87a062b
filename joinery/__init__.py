"""Joinery joins up health and social care for one place."""

__version__ = "0.5.0"
