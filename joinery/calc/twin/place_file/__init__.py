"""A place file (TOML) read into a Place, with its budget and the national trend. Every error names the line."""

from joinery.calc.twin.place_file.place import Account, PlaceFile, accounts, read_place

__all__ = ["Account", "PlaceFile", "accounts", "read_place"]
