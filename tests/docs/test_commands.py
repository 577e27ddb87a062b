"""Every command that the documentation shows is one that exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from joinery.__main__ import parser
from tests.docs.pages import PAGES, ROOT, name_of

SHELL = re.compile(r"^ *```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
SETS = re.compile(r"[A-Z_]+=\S*")
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
# Words that end a command of another program, which is not ours to check.
OTHERS = {"git", "export", "sudo"}


def shown() -> Iterator[tuple[str, list[str]]]:
    """Each line of each block of shell commands, as the page and the words after any VARIABLE=value."""
    for page in PAGES:
        for block in SHELL.findall(page.read_text("utf-8")):
            for line in block.splitlines():
                words = shlex.split(line, comments=True)
                while words and SETS.fullmatch(words[0]):
                    words.pop(0)
                if words:
                    yield name_of(page), words


@pytest.mark.parametrize(("where", "words"), [pytest.param(p, w, id=f"{p}: {' '.join(w)}") for p, w in shown()])
def test_a_command_that_is_shown_can_be_run(where: str, words: list[str]) -> None:
    program, *arguments = words
    if Path(program).name == "joinery":
        parser().parse_args(arguments)  # leaves with an error when the command is wrong
    elif program == "make":
        assert [a for a in arguments if "=" not in a and a not in TARGETS] == []
    elif Path(program).name == "python" and arguments[0] != "-m":
        assert (ROOT / arguments[0]).is_file()
    else:
        assert program in OTHERS or Path(program).parent.name == "bin", f"{where} shows a command nobody checks"


def test_commands_are_found() -> None:
    assert len({page for page, _ in shown()}) > 5


def test_a_wrong_command_is_caught() -> None:
    with pytest.raises(SystemExit):
        test_a_command_that_is_shown_can_be_run("page", ["joinery", "take", "--feed", "fax", "file"])
    with pytest.raises(AssertionError):
        test_a_command_that_is_shown_can_be_run("page", ["make", "tea"])
