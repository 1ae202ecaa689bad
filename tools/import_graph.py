"""Show the rooms of the library and the arrows between them: `python tools/import_graph.py`.

A room is a folder or a lone module directly below `envelope/`. The arrows are the imports, as import-linter sees them
(without those for type checkers only); what a package's dunder files import counts for the package. The last line
counts the cycles, among the rooms and among all files. Needs import-linter (pip install -e '.[dev]').
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

import grimp

LIBRARY = "envelope"

Arrows = Mapping[str, set[str]]


def imports() -> Arrows:
    """For each module of the library, the library's modules that it imports."""
    graph = grimp.build_graph(LIBRARY, exclude_type_checking_imports=True)
    return {module: graph.find_modules_directly_imported_by(module) for module in sorted(graph.modules)}


def rooms(arrows: Arrows) -> Arrows:
    """The same for rooms, without `envelope` itself, which only leads to all of them."""
    found: dict[str, set[str]] = defaultdict(set)
    for module, imported in arrows.items():
        if module == LIBRARY:
            continue
        room = _room(module)
        found[room] |= {_room(other) for other in imported if other != LIBRARY} - {room}
    return dict(found)


def _room(module: str) -> str:
    return module.split(".")[1]


def circle(arrows: Arrows) -> list[str]:
    """One cycle of imports; empty if there is none."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def from_the_top(arrows: Arrows) -> list[str]:
    """All rooms, each before those that it imports; rooms on the same level are sorted by name."""
    sorter, order = TopologicalSorter(arrows), list[str]()
    sorter.prepare()
    while floor := sorter.get_ready():
        order += sorted(floor, reverse=True)
        sorter.done(*floor)
    return order[::-1]


def drawn() -> str:
    """A line for each room, those that import nothing last, and a line of counts. `SystemExit` if there is a cycle."""
    files = imports()
    between = rooms(files)
    if found := circle(between) or circle(files):
        raise SystemExit(f"a cycle: {' → '.join(found)}")
    lines = [f"{room:<10} → {', '.join(sorted(between[room])) or '(nothing)'}\n" for room in from_the_top(between)]
    return f"{''.join(lines)}\n{len(between)} rooms, {len(files)} files, 0 cycles\n"


if __name__ == "__main__":
    sys.stdout.write(drawn())
