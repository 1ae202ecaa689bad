"""Draw what the command shows on a terminal: `python docs/terminal.py` makes docs/inspect.svg."""

from __future__ import annotations

import io
from pathlib import Path

from click.testing import CliRunner
from rich.console import Console
from rich.text import Text

from envelope.cli.command import envelope

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "inspect.svg"
# An archive that was cut by a column of 255 bytes.
FILE = ROOT / "fixtures" / "valid" / "php-visibility" / "body.serialize"
SIZE = 255
COMMAND = ["inspect", "--values", "php"]

# As rich draws it, but without the fonts that it would have a reader's browser fetch.
TEMPLATE = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<title>What envelope inspect shows of an archive that was cut</title>
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
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def draw() -> str:
    """The picture as SVG: what is shown, in the colours of a terminal."""
    terminal = {
        "FORCE_COLOR": "1",
        "TERM": "xterm-256color",
        "COLORTERM": None,
        "NO_COLOR": None,
        "TTY_COMPATIBLE": None,
    }
    runner = CliRunner(env={**terminal, "COLUMNS": "110"})
    shown = runner.invoke(envelope, COMMAND, input=FILE.read_bytes()[:SIZE], prog_name="envelope")
    console = Console(record=True, width=110, file=io.StringIO(), color_system="truecolor", force_terminal=True)
    console.print(Text.from_ansi(shown.output.rstrip()), soft_wrap=True)
    return console.export_svg(
        title=f"envelope {' '.join(COMMAND)}", code_format=TEMPLATE, unique_id="terminal", font_aspect_ratio=0.61
    )


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
