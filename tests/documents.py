"""The documents, as tests read them: pages of the site by name, wherever they are in docs/, and their examples."""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
MODULES = DOCS / "reference" / "python"  # a page for each module, which is made of its docstrings


def page(name: str) -> Path:
    """The page that is called *name*; there is one."""
    [found] = [path for path in DOCS.rglob(name) if path.parent != MODULES]
    return found


def text_of(name: str) -> str:
    return page(name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of *language*, in order; those in lists are indented."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)


def languages(text: str) -> list[str]:
    """The language of each fenced block, in order."""
    return re.findall(r"^ *```(.*)\n(?:.*\n)*? *```$", text, re.MULTILINE)


def run_doctest(text: str, name: str) -> int:
    """Run the examples of *text*, one after the other; how many there were. A failure shows what came instead."""
    source = "\n".join(blocks(text, "pycon"))
    out: list[str] = []
    test = doctest.DocTestParser().get_doctest(source, {"__name__": name}, name, name, 0)
    attempted = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=out.append).attempted
    assert not out, "".join(out)
    return attempted


def sessions(text: str) -> list[tuple[str, str]]:
    """The commands in blocks of a shell's session, each with what it shows."""
    session = "".join(blocks(text, "console"))
    return re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", session, re.MULTILINE)


def bash(command: str, folder: Path, prelude: str = "") -> str:
    """What *command* shows on both of its outputs, with the `envelope` and `python` of these tests."""
    python = shlex.quote(sys.executable)
    functions = f'envelope() {{ {python} -m envelope "$@"; }}\npython() {{ {python} "$@"; }}\n{prelude}\n'
    ended = subprocess.run(
        ["bash", "-c", functions + command],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
    )
    return ended.stdout.decode()
