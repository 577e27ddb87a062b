"""The demonstration place, Wexcombe: made-up lives, and the files its services would send about them.

`histories` makes lives as event columns, with `stays` in hospital by the twin; `writers` turn columns into the files
of each feed; `corruptor` adds the defects of real submissions; `build` does all three and keeps the truth aside.
Nothing here reads a clock.
"""
