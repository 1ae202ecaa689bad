"""How the site reads this project's docstrings, which are plain text for `help()`, as reStructuredText.

A paragraph whose lines begin with names in backticks is a list of what they mean, and one that is indented is code.
What a door offers is documented where it is defined: a value's docstring, which stands below it, is found there. What
`envelope` itself offers is on its page alone.
"""

from __future__ import annotations

import re
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import PycodeError
from sphinx.ext.autodoc.mock import mock
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective

import envelope
from envelope.registry import REGISTRY

_TERM = re.compile(r"((?:(``?)[^`]+\2(?:, (?=`))?)+):?(?:\s+|$)(.*)")


def as_rest(lines: list[str]) -> list[str]:
    """The lines of a docstring as reStructuredText."""
    written: list[str] = []
    for paragraph in _paragraphs(lines):
        if paragraph[0].startswith(" "):
            written += ["::", "", *(f"    {line}".rstrip() for line in paragraph), ""]
        elif _is_list_of_names(paragraph):
            written += [*_definitions(paragraph), ""]
        else:
            written += [*_with_asterisks(paragraph), ""]
    return written


def _paragraphs(lines: list[str]) -> list[list[str]]:
    """Lines between blank ones; indented paragraphs that follow one another are one."""
    found: list[list[str]] = []
    for text in re.split(r"\n\s*\n", "\n".join(lines).strip("\n")):
        paragraph = text.split("\n")
        if found and paragraph[0].startswith("  ") and found[-1][0].startswith("  "):
            found[-1] += ["", *paragraph]
        elif text.strip():
            found.append(paragraph)
    return found


def _is_list_of_names(paragraph: list[str]) -> bool:
    starts = [line for line in paragraph if not line.startswith(" ")]
    if not all(_TERM.match(line) for line in starts):
        return False
    is_aligned = len(starts) < len(paragraph) or any(re.match(r"`[^ ]+`  +", line) for line in starts)
    return is_aligned or all(re.match("(``?)[^`]+\\1:", line) for line in starts)


def _definitions(paragraph: list[str]) -> list[str]:
    written: list[str] = []
    for line in paragraph:
        if line.startswith(" "):
            written.append(f"    {line.strip()}")
        elif found := _TERM.match(line):
            written += [found[1].rstrip(", "), f"    {found[3]}"]
    return written


def _with_asterisks(paragraph: list[str]) -> list[str]:
    """``*name*`` is a name, as it is in reStructuredText; any other asterisk is one."""
    return [re.sub(r"(?<![*\w`])\*(?=[*\s),])", r"\\*", line) for line in paragraph]


def docstring_below(home: str, name: str) -> list[str]:
    """The docstring that stands below the value *name* in the module *home*; nothing if there is none."""
    try:
        analyzer = ModuleAnalyzer.for_module(home)
        analyzer.analyze()
    except PycodeError:
        return []
    return list(analyzer.attr_docs.get(("", name), []))


def home_of(door: ModuleType, name: str) -> str:
    """The module that defines what *door* offers as *name*."""
    source = ModuleAnalyzer.for_module(door.__name__).code
    found = re.search(rf"^ *from (envelope[\w.]*) import (?:.*\b|\()?{name}\b", source, re.MULTILINE)
    if found is None:
        listed = re.findall(r"^ *from (envelope[\w.]*) import \(([^)]*)\)", source, re.MULTILINE)
        return next((home for home, names in listed if re.search(rf"\b{name}\b", names)), door.__name__)
    return found[1]


def _process(_: Sphinx, what: str, full_name: str, obj: Any, __: Any, lines: list[str]) -> None:
    if what == "data":
        door, name = full_name.rsplit(".", 1)
        module = import_module(door)
        codes = [row.message for row in REGISTRY if (row.name, row.code) == (name, obj)]
        lines[:] = docstring_below(home_of(module, name), name) or codes
    lines[:] = as_rest(lines)


class Door(SphinxDirective):
    """``door:: module``: its docstring, and each name that it offers, in order."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """What autodoc makes of a directive for each name: it does not find the values that a door offers by itself."""
        with mock(self.config.autodoc_mock_imports):
            module = import_module(self.arguments[0])
        lines = [f".. automodule:: {module.__name__}", "   :no-members:", ""]
        for name in sorted(module.__all__, key=str.lower):
            value = getattr(module, name)
            is_elsewhere = (
                module is not envelope and getattr(envelope, name, None) is value and name in envelope.__all__
            )
            if isinstance(value, ModuleType) or is_elsewhere:
                continue
            lines += [f".. {_directive_of(value)}:: {module.__name__}.{name}", *_options_of(value), ""]
        return self.parse_text_to_nodes("\n".join(lines))


def _directive_of(value: object) -> str:
    if isinstance(value, type):
        return "autoexception" if issubclass(value, BaseException) else "autoclass"
    return "autofunction" if isinstance(value, FunctionType) else "autodata"


def _options_of(value: object) -> list[str]:
    is_long = _directive_of(value) == "autodata" and len(repr(value)) > _LONGEST
    return ["   :no-value:"] if is_long else []


_LONGEST = 100  # characters of a value that is shown


def _as_code(_: Sphinx, __: Any, lines: list[str]) -> None:
    """The examples below a command's options, which are lines for a shell."""
    examples = [line.removeprefix("| ").removeprefix("|") for line in lines if line.strip()]
    lines[:] = (
        [examples[0], "", ".. code-block:: sh", "", *(f"    {line.strip()}" for line in examples[1:]), ""]
        if examples
        else []
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _process)
    app.connect("sphinx-click-process-epilog", _as_code)
    app.add_directive("door", Door)
    return {"parallel_read_safe": True}
