"""Draw one value in the five formats: `python tools/picture.py` makes docs/five-formats.svg."""

from __future__ import annotations

import textwrap
from html import escape
from pathlib import Path

import envelope

PICTURE = Path(__file__).parent.parent / "docs" / "five-formats.svg"
VALUE = {"id": 7, "price": 1.0, "name": "中国", "tags": []}

WIDTH, LINE, LEFT, COLUMNS = 860, 19, 160, 82


def draw() -> str:
    """The picture as SVG: a row for the Python value and one for each format."""
    rows = [("Python", repr(VALUE))]
    rows += [(str(name), envelope.dumps(VALUE, name).decode()) for name in envelope.ResultType]
    body, y = [], 34
    for index, (name, text) in enumerate(rows):
        lines = [
            part for line in text.split("\n") for part in textwrap.wrap(line, COLUMNS, drop_whitespace=False) or [""]
        ]
        height = LINE * len(lines) + 16
        fill = "#eef4ff" if index == 0 else "#f6f8fa"
        body.append(
            f'<rect x="{LEFT - 12}" y="{y - 20}" width="{WIDTH - LEFT - 4}" height="{height}" rx="6" fill="{fill}"/>'
        )
        body.append(f'<text x="16" y="{y}" class="name">{escape(name)}</text>')
        for line in lines:
            body.append(f'<text x="{LEFT}" y="{y}" xml:space="preserve">{escape(line)}</text>')
            y += LINE
        y += 26
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y - 10}" viewBox="0 0 {WIDTH} {y - 10}">\n'
        "<title>One value in five formats</title>\n"
        "<style>text{font:13px ui-monospace,Menlo,Consolas,monospace;fill:#1f2328}"
        ".name{font-weight:bold;fill:#0550ae}</style>\n"
        f'<rect width="{WIDTH}" height="{y - 10}" fill="#ffffff"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
