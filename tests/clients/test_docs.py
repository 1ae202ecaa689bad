"""docs/how-to/clients-in-other-languages.md shows the programs as they are, and what they read."""

from __future__ import annotations

import re

from tests.clients.asking import ALL
from tests.clients.programs import FOLDER, LEFT_OUT, PROGRAMS
from tests.documents import text_of

PAGE = text_of("clients-in-other-languages.md")


def test_the_page_shows_every_program_as_it_is() -> None:
    shown = re.findall(r"^```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert sorted(shown) == sorted((FOLDER / program.source).read_text(encoding="utf-8") for program in PROGRAMS)


def test_the_page_says_what_each_reads() -> None:
    formats = ("json", "xml", "serialize", "var_export")
    for program in ALL:
        cells = [program.reads.get(each, "bytes") if each in program.formats else "–" for each in formats]
        assert f"| {program.name} | {' | '.join(cells)} |" in PAGE
    for language, why in LEFT_OUT.items():
        assert f"{language} is left out, for {why}" in PAGE


def test_every_program_is_run() -> None:
    assert {program.source for program in ALL} == {file.name for file in FOLDER.iterdir() if file.is_file()}
