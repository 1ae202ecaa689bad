"""The site's pages: their examples run, their files and options are what they say, and nothing public is left out."""

from __future__ import annotations

import ast
import doctest
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from envelope.calls.engine import Engine
from tests.documents import DOCS, ROOT, bash, blocks, languages, run_doctest, sessions, text_of
from tests.documents import MODULES as MODULE_PAGES
from tests.test_imports import DOORS

PAGES = sorted(
    path
    for path in DOCS.rglob("*.md")
    if path.parent != MODULE_PAGES and path.name != "index.md" and "{include}" not in path.read_text(encoding="utf-8")
)
by_name = pytest.mark.parametrize("name", [path.name for path in PAGES])

# Whose sessions and examples have tests of their own, because they need something that runs beside them.
SERVED = {
    "client.md", "first-client.md", "first-gateway-zh.md", "first-gateway.md", "first-server.md", "gateway-admin.md",
    "gateway-metrics.md", "gateway.md",
}  # fmt: skip

# Tests for these are elsewhere; or it is an output, or a fragment for a file of another program.
OTHER = {"console", "haproxy", "nginx", "pycon", "python", "sql", "text"}
# What is in these is run by tests/clients.
LANGUAGES = {
    "c",
    "cpp",
    "csharp",
    "go",
    "html",
    "java",
    "javascript",
    "js",
    "kotlin",
    "matlab",
    "objc",
    "objectivec",
    "r",
    "ruby",
    "rust",
}


def test_a_page_is_found_by_its_name() -> None:
    names = [path.name for path in PAGES]
    assert len(names) == len({*names}) > 40


def pages_with(language: str) -> list[str]:
    return [path.name for path in PAGES if blocks(path.read_text(encoding="utf-8"), language)]


@pytest.mark.parametrize("name", pages_with("pycon"))
def test_the_examples_of_a_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("lxml", "pandas", "phpserialize", "polars", "pyarrow") if name != "gateway.md" else ("sqlalchemy",):
        pytest.importorskip(package)
    monkeypatch.chdir(ROOT)
    assert run_doctest(text_of(name), name)


@pytest.mark.parametrize("name", [name for name in pages_with("console") if name not in SERVED])
def test_the_sessions_of_a_page(name: str, tmp_path: Path) -> None:
    pytest.importorskip("rich")
    if shutil.which("jq") is None and "$ jq " in text_of(name):
        pytest.skip("no jq on this machine")
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    for toml in blocks(text_of(name), "toml")[:1]:
        (tmp_path / "codes.toml").write_text(toml, encoding="utf-8")
    for command, shown in sessions(text_of(name)):
        assert steady(bash(command, tmp_path)) == steady(shown), command


def steady(shown: str) -> str:
    """*shown* without spaces at the ends of lines."""
    return re.sub(" +$", "", shown, flags=re.MULTILINE).rstrip("\n")


def commands(source: str) -> list[list[str]]:
    """The calls of `envelope` in lines for a shell, as words."""
    lines = source.replace("\\\n", " ").splitlines()
    parts = [part.strip() for line in lines for part in re.split(r"&&|\|(?=\s)|;", line)]
    return [shlex.split(part, comments=True) for part in parts if part.startswith("envelope ")]


@pytest.mark.parametrize("name", sorted({*pages_with("sh"), *pages_with("console")}))
def test_the_options_of_a_page_are_those_of_the_command(name: str) -> None:
    run = pytest.importorskip("tests.cli.command").run
    text = text_of(name)
    shell = "\n".join([*blocks(text, "sh"), *(command for command, _ in sessions(text))])
    for words in commands(shell):
        path = list(words[1:])
        while path and run(*path, "--help").exit_code:
            path.pop()
        known = run(*path, "--help").stdout
        assert path, words
        assert all(re.search(rf"(?:^|[\s,]){word.partition('=')[0]}\b", known) for word in words if word[:2] == "--")


@by_name
def test_the_files_of_a_page_are_what_they_say(name: str, tmp_path: Path) -> None:
    text = text_of(name)
    for source in blocks(text, "toml"):
        tomllib.loads(source)
    for source in blocks(text, "json"):
        json.loads(source)
    for source in blocks(text, "python"):
        ast.parse(source)
    for source in blocks(text, "sh"):
        assert subprocess.run(["bash", "-n", "-c", source], check=False).returncode == 0
    made = {"{literalinclude}", "{toctree}", "{eval-rst}", "toml", "json", "sh", "yaml", "php"}
    assert {language.split(" ")[0] for language in languages(text)} <= made | OTHER | LANGUAGES
    if shutil.which("php"):
        for source in blocks(text, "php"):
            whole = source if source.startswith("<?php") else f"<?php {source}"
            (tmp_path / "example.php").write_text(whole, encoding="utf-8")
            subprocess.run(["php", "-l", str(tmp_path / "example.php")], check=True, capture_output=True)


def test_the_hook_of_the_page_exists() -> None:
    (example,) = blocks(text_of("fixtures.md"), "yaml")
    hooks = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    (name,) = re.findall(r"- id: (\S+)\n", example)
    assert f"- id: {name}\n" in hooks
    (files,) = re.findall(r"files: '(.*)'\n", hooks)
    folders = ROOT / "fixtures" / "valid", ROOT / "fixtures" / "invalid"
    inside = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert len(inside) > 300
    assert all(re.search(files, path.relative_to(ROOT).as_posix()) for path in inside)
    assert not re.search(files, "fixtures/make.py")


def test_the_wsgi_example_serves() -> None:
    (source,) = [source for source in blocks(text_of("engine.md"), "pycon") if "application =" in source]
    names: dict[str, Any] = {"engine": Engine()}
    exec("".join(example.source for example in doctest.DocTestParser().get_examples(source)), names)
    environ: dict[str, Any] = {"QUERY_STRING": "key=k&secret=s&method=v1/models&result_type=xml"}
    setup_testing_defaults(environ)
    environ["PATH_INFO"] = "/openai/custom/"
    started: list[Any] = []
    (body,) = names["application"](environ, lambda *head: started.append(head))
    assert b"<method>v1/models</method>" in body
    assert started[0][0] == "200 OK"


# ------------------------------------------------------------------------------------------------ every public name

ADAPTERS = ("arrow", "asgi", "django", "fastapi", "flask", "multipart", "phpserialize", "wsgi")
MODULES = (
    *DOORS, *(f"envelope.adapters.{name}" for name in ADAPTERS), "envelope.api", "envelope.errors",
    "envelope.formats", "envelope.limits", "envelope.options", "envelope.testing", "envelope.testing.php",
)  # fmt: skip


@cache
def docstrings_below(module: str) -> frozenset[str]:
    """The names that a module assigns, with a docstring below."""
    path = import_module(module).__file__
    assert path is not None
    body = ast.parse(Path(path).read_text(encoding="utf-8")).body
    found = set()
    for statement, after in pairwise(body):
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and type(after.value.value) is str:
            targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return frozenset(found)


def home_of(module: str, name: str) -> str:
    """The module that defines what *module* offers as *name*: by the imports of that, and of whom it has it from."""
    path = import_module(module).__file__
    assert path is not None
    for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and any((alias.asname or alias.name) == name for alias in node.names):
            return home_of(str(node.module), name) if str(node.module).startswith("envelope") else module
    return module


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_a_docstring(module: str) -> None:
    pytest.importorskip("sqlalchemy")
    for package in ("fastapi", "flask", "django", "httpx2", "pyarrow", "python_multipart"):
        pytest.importorskip(package)
    door = import_module(module)
    codes = {row.name for row in import_module("envelope.registry").REGISTRY}
    for name in {*door.__all__} - codes:  # the table of codes describes these
        value = getattr(door, name)
        is_defined = isinstance(value, type) or hasattr(value, "__code__") or type(value).__name__ == "module"
        has_own = bool(is_defined and value.__doc__)
        assert has_own or name in docstrings_below(home_of(module, name)), f"{module}.{name}"


INDEXES = sorted(DOCS.rglob("index.md"))


@pytest.mark.parametrize("index", INDEXES, ids=[path.parent.name for path in INDEXES])
def test_an_index_links_what_its_part_of_the_site_has(index: Path) -> None:
    """Readers of the repository, where nothing makes a list of a toctree, find each page by its link."""
    text = index.read_text(encoding="utf-8")
    listed = [
        f"{name}.md" for tree in blocks(text, "{toctree}") for name in re.findall(r"^([\w/-]+)$", tree, re.MULTILINE)
    ]
    assert len(listed) == len({*listed})
    beside = {path.name for path in index.parent.glob("*.md")} - {"index.md", "README.md"}
    links = {*re.findall(r"\]\(([\w/-]+\.md)\)", text)}
    assert beside <= {*listed} <= links
    assert {link for link in links if "/" not in link} == beside


def test_no_registry_of_packages_is_named() -> None:
    hosts = re.compile(r"\b(?:pypi\.org|npmjs\.|pythonhosted|anaconda\.org|conda-forge)")
    for path in [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "SECURITY.md"]:
        assert not hosts.search(path.read_text(encoding="utf-8")), path


def test_a_wrong_example_is_found() -> None:
    with pytest.raises(AssertionError, match="Expected"):
        run_doctest("```pycon\n>>> 1 + 1\n3\n\n```\n", "wrong.md")
