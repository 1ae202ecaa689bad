"""Compiled functions name their twin in Python, which must exist; each codec is in the same folder as its twin."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from envelope import formats

FOLDER = Path(formats.__file__).parent
SOURCES = sorted(path for kind in ("pyx", "pxd", "hpp") for path in FOLDER.rglob(f"*.{kind}"))

# `# Twin: serialize.read.loads` or `// Twins: a.b.c, a.b.d, for one character. What more is to be said.`
TWIN = re.compile(r"(?:#|//) Twins?: (\S.*)")
NAME = re.compile(r"\b[a-z]\w*(?:\.\w+)+")
# Not a codec: code that joins two of them, that calls them, and that reads query strings.
ALONE = {"serialize/_to_json.pyx", "native/_calls.pyx", "native/_query.pyx"}

pytestmark = pytest.mark.skipif(not SOURCES, reason="installed without its sources")


def twins_in(text: str) -> list[str]:
    """The names that the comments of *text* give, each a path from `envelope.formats`, else from `envelope`."""
    return [name.rstrip(".") for comment in TWIN.findall(text) for name in NAME.findall(comment.partition(". ")[0])]


def resolve(name: str) -> object:
    """The object at the path *name*; fails if there is none."""
    for root in ("envelope.formats", "envelope"):
        parts = f"{root}.{name}".split(".")
        for size in range(len(parts) - 1, 1, -1):
            try:
                found: object = import_module(".".join(parts[:size]))
            except ModuleNotFoundError:
                continue
            try:
                for part in parts[size:]:
                    found = getattr(found, part)
            except AttributeError:
                break
            return found
    raise AssertionError(f"no twin {name}")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_each_twin_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = twins_in(text)
    assert len(named) >= len(TWIN.findall(text)), "a comment that names no twin"
    for name in named:
        resolve(name)


def test_a_missing_twin_is_found() -> None:
    assert twins_in("# Twins: json.read.loads, then json.read.gone. More\n") == ["json.read.loads", "json.read.gone"]
    resolve("json.read.loads")
    with pytest.raises(AssertionError, match=r"no twin json\.read\.gone"):
        resolve("json.read.gone")


def test_each_codec_has_its_twin_beside_it() -> None:
    compiled = {path.relative_to(FOLDER).as_posix() for path in SOURCES if path.suffix == ".pyx"} - ALONE
    folders = {path.parent for path in FOLDER.rglob("read.py")} | {path.parent for path in FOLDER.rglob("write.py")}
    pairs = {
        (folder / f"_{side}.pyx").relative_to(FOLDER).as_posix() for folder in folders for side in ("read", "write")
    }
    assert compiled == pairs
    for path in compiled:
        side = Path(path).stem
        assert (FOLDER / path).with_name(f"{side.removeprefix('_')}.py").exists()
        doubled = "loads" if side == "_read" else "dumps"
        assert f"# Twin: {Path(path).parent.name}.{side.removeprefix('_')}.{doubled}\n" in (FOLDER / path).read_text(
            "utf-8"
        )
