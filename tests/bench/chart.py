"""The chart of a run: how fast each peer is where PHP is 1, on a logarithmic scale, as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from typing import Final

from tests.bench.documents import MAIN
from tests.bench.goals import Report, at, geometric_mean
from tests.bench.peers import FORMATS
from tests.bench.timing import DIRECTIONS

WIDTH: Final = 860
LEFT: Final = 190  # where the scale begins
RIGHT: Final = 790  # and where it ends; after it is room for a figure
TOP: Final = 78
LINE: Final = 19
GAP: Final = 13
LABELS: Final = {"compiled": "envelope", "pure": "envelope, pure Python", "json": "json of Python"}

# Both colour schemes have a background of their own, so that the chart is readable wherever it is shown.
STYLE: Final = """
  .ground { fill: #ffffff } text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .head { font-weight: 600; font-size: 15px } .group { font-weight: 600 } .dim { fill: #59636e; font-size: 12px }
  .grid { stroke: #d1d9e0 } .one { stroke: #59636e; stroke-width: 1.5 }
  .compiled { fill: #0969da } .pure { fill: #80b3f0 } .peer { fill: #a8b1bb }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } text { fill: #f0f6fc } .dim { fill: #9198a1 }
    .grid { stroke: #3d444d } .one { stroke: #9198a1 }
    .compiled { fill: #4493f8 } .pure { fill: #2a5a9b } .peer { fill: #656c76 }
  }
"""


def draw(report: Report) -> str:
    """The chart as SVG; without PHP's figures in the report there is nothing to compare with: `ValueError`."""
    groups = list(_groups(report))
    if not groups:
        raise ValueError("no chart: the figures of PHP are missing")
    ratios = [ratio for _, bars in groups for _, ratio in bars]
    low = math.floor(math.log10(min(*ratios, 1.0)) * 2) / 2
    high = math.ceil(math.log10(max(*ratios, 1.0)) * 2) / 2

    def x(ratio: float) -> float:
        return LEFT + (math.log10(ratio) - low) / max(high - low, 0.5) * (RIGHT - LEFT)

    height = TOP + sum(LINE * (len(bars) + 1) + GAP for _, bars in groups) + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">',
        "<title>Speed of each codec, PHP = 1</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
        '<text class="head" x="16" y="26">How many times as fast as PHP</text>',
        f'<text class="dim" x="16" y="45">{escape(_subtitle(report))}</text>',
    ]
    for tick in _ticks(low, high):
        kind = "one" if tick == 1 else "grid"
        parts.append(f'<line class="{kind}" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{TOP - 8}" y2="{height - 12}"/>')
        label = "PHP" if tick == 1 else f"{tick:g}×"
        parts.append(f'<text class="dim" x="{x(tick):.1f}" y="{TOP - 13}" text-anchor="middle">{label}</text>')
    y = TOP
    for name, bars in groups:
        y += LINE
        parts.append(f'<text class="group" x="16" y="{y - 5}">{escape(name)}</text>')
        for peer, ratio in bars:
            start, end = sorted((x(1), x(ratio)))
            kind = peer if peer in LABELS and peer != "json" else "peer"
            parts.append(
                f'<text x="{LEFT - 10}" y="{y + 14}" text-anchor="end">{escape(LABELS.get(peer, peer))}</text>'
            )
            width = max(end - start, 1)
            parts.append(f'<rect class="{kind}" x="{start:.1f}" y="{y + 3}" width="{width:.1f}" height="{LINE - 5}"/>')
            parts.append(f'<text class="dim" x="{end + 5:.1f}" y="{y + 14}">{ratio:.2g}×</text>')
            y += LINE
        y += GAP
    return "\n".join([*parts, "</svg>"]) + "\n"


def _groups(report: Report) -> Iterator[tuple[str, list[tuple[str, float]]]]:
    """For each format and direction the peers beside PHP, each with PHP's time over its own."""
    for format in FORMATS:
        for direction, verb in zip(DIRECTIONS, ("encode", "decode"), strict=True):
            php = at(report, "times", "php", format, direction)
            bars = []
            for peer in at(report, "times") or ():
                times = at(report, "times", peer, format, direction)
                if php is not None and times is not None and peer != "php":
                    bars.append((peer, geometric_mean(php[name] / times[name] for name in MAIN)))
            if bars:
                yield f"{format}, {verb}", bars


def _subtitle(report: Report) -> str:
    versions = ", ".join(
        f"{label} {report['versions'][name]}"
        for name, label in (("php", "PHP"), ("python", "Python"))
        if name in report["versions"]
    )
    return f"{versions}; {report['machine']['processor']}; geometric mean over {', '.join(MAIN)}; logarithmic"


def _ticks(low: float, high: float) -> Iterator[float]:
    for exponent in range(math.floor(low), math.ceil(high) + 1):
        for step in (1, 3):
            tick = float(f"{step}e{exponent}")
            if low - 0.01 <= math.log10(tick) <= high + 0.01:
                yield tick
