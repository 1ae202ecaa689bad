"""Draw what the command shows on a terminal.

python tools/terminal.py          makes docs/inspect.svg
python tools/terminal.py ARCHIVE  converts a serialize archive, and makes docs/progress.svg from the run
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from click.testing import CliRunner
from rich.console import Console
from rich.text import Text

from envelope.cli.bulk import run
from envelope.cli.bulk.progress import bar_on
from envelope.cli.command import envelope

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "inspect.svg"
# An archive that a column of 255 bytes cut off.
FILE = ROOT / "fixtures" / "valid" / "php-visibility" / "body.serialize"
SIZE = 255
COMMAND = ["inspect", "--values", "php"]

PROGRESS = ROOT / "docs" / "progress.svg"
CONVERSION = ["convert", "--lines", "archive.ser", "--to", "jsonu", "-o", "archive.jsonl"]

# Like rich's own template, but without the fonts that a browser would have to fetch.
TEMPLATE = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<title></title>
<style>
.{unique_id}-matrix {{ font: {char_height}px ui-monospace, Menlo, Consolas, monospace; white-space: pre }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix" xml:space="preserve">
{matrix}
</g>
</g>
</svg>
"""


def svg(shown: str, command: list[str], about: str, width: int) -> str:
    """Terminal output with escape sequences as SVG; *about* describes it in words."""
    console = Console(record=True, width=width, file=io.StringIO(), color_system="truecolor", force_terminal=True)
    console.print(Text.from_ansi(shown.rstrip()), soft_wrap=True)
    template = TEMPLATE.replace("<title></title>", about.replace("{", "{{").replace("}", "}}"))
    title = f"envelope {' '.join(command)}"
    return console.export_svg(title=title, code_format=template, unique_id="terminal", font_aspect_ratio=0.61)


def draw() -> str:
    """The picture of `inspect`, in the colours of a terminal."""
    terminal = {
        "FORCE_COLOR": "1",
        "TERM": "xterm-256color",
        "COLORTERM": None,
        "NO_COLOR": None,
        "TTY_COMPATIBLE": None,
    }
    runner = CliRunner(env={**terminal, "COLUMNS": "110"})
    shown = runner.invoke(envelope, COMMAND, input=FILE.read_bytes()[:SIZE], prog_name="envelope")
    about = "<title>What envelope inspect shows of an archive that was cut</title>"
    return svg(shown.output, COMMAND, about, 110)


def record(archive: str) -> dict[str, Any]:
    """Convert an archive; return its size and the first and half-way updates of the progress bar, with their times."""
    told: list[tuple[float, int, int]] = []

    @contextlib.contextmanager
    def listening(*_: object) -> Iterator[Callable[[int, int], None]]:
        yield lambda done, records: told.append((time.monotonic(), done, records))

    # The picture's command, except for the file names.
    command = [*CONVERSION[:2], archive, *CONVERSION[3:-1], os.devnull, "--from", "serialize"]
    with mock.patch.object(run, "progress_bar", listening):
        ran = CliRunner().invoke(envelope, command)
    assert ran.exit_code == 0, ran.output
    size = os.stat(archive).st_size
    first, half = told[0], next(figures for figures in told if figures[1] >= size / 2)
    return {"size": size, "first": [0, *first[1:]], "half-way": [round(half[0] - first[0], 3), *half[1:]]}


def draw_progress(figures: dict[str, Any]) -> str:
    """The picture of the progress bar for what `record` returned; it contains the figures, so it can be redrawn."""
    clock, terminal = [0.0], io.StringIO()
    console = Console(
        file=terminal, width=90, get_time=lambda: clock[0], force_terminal=True, color_system="256", _environ={}
    )
    with bar_on(console, figures["size"], 0) as show:
        for clock[0], done, records in (figures["first"], figures["half-way"]):
            show(done, records)
    # The bar is redrawn many times, and erased at the end.
    last = re.findall(r"[^\r\n]* records [^\r\n]*", terminal.getvalue())[-1]
    about = "<title>The progress bar of envelope convert --lines, half-way through an archive</title>"
    return svg(last, CONVERSION, f"{about}\n<metadata>{json.dumps(figures)}</metadata>", 90)


def figures_of(picture: str) -> dict[str, Any]:
    """The figures from which the *picture* of a progress bar was drawn."""
    (text,) = re.findall("<metadata>(.*)</metadata>", picture)
    figures: dict[str, Any] = json.loads(text)
    return figures


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
    for archive in sys.argv[1:]:
        PROGRESS.write_text(draw_progress(record(archive)), encoding="utf-8")
