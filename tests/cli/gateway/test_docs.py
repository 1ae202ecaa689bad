"""gateway.md and gateway-settings.md: every example does what it says, every setting has its words."""

from __future__ import annotations

import doctest
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import run

for package in ("aiohttp", "alembic", "cryptography", "pydantic_settings", "sqlalchemy", "structlog", "uvicorn"):
    pytest.importorskip(package)

from envelope.gateway.settings import (  # noqa: E402
    CacheSettings,
    GatewaySettings,
    LimitSettings,
    PriceSettings,
    read_settings,
)
from envelope.registry import REGISTRY  # noqa: E402
from tests.cli.gateway.serving import WAIT, Served, get, serving  # noqa: E402
from tests.documents import ROOT, blocks, page, sessions, text_of  # noqa: E402

GATEWAY = text_of("gateway.md")
SETTINGS = text_of("gateway-settings.md")


# What differs each time, and is as long each time.
VOLATILE = re.compile(
    r"(?<=\"last_id\":\")\d+|[0-9a-f]{6}\.[0-9a-f]{13}|cmpl-[0-9a-f]{29}|(?<=\"created\":)\d+|127\.0\.0\.1:\d+|\d{4}-\d\d-\d\d [\d:]{8}|\d\.\d{3}$",
    re.MULTILINE,
)


def steady(shown: str) -> str:
    """*shown* without what differs each time, nor spaces at the ends of lines."""
    return re.sub(" +$", "", VOLATILE.sub("*", shown), flags=re.MULTILINE).removesuffix("\n")


def test_the_sessions_of_the_document(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    examples = sessions(GATEWAY)
    assert len(examples) > 12
    with serving(tmp_path, "--demo") as demo:
        for command, shown in examples:
            for _ in range(100 if "images/get" in command else 1):  # the image may not be there yet
                said = bash(command, tmp_path, demo)
                if '"running"' not in said:
                    break
            assert steady(said) == steady(shown), command
        assert demo.stop(signal.SIGINT) == (0, "")


def bash(command: str, folder: Path, demo: Served) -> str:
    prelude = f"""
    envelope() {{ {shlex.quote(sys.executable)} -m envelope "$@"; }}
    DEMO={shlex.quote(demo.url().partition("&method")[0])}
    """
    ended = subprocess.run(["bash", "-c", prelude + command], cwd=folder, capture_output=True, timeout=WAIT)
    assert (ended.returncode, ended.stderr) == (0, b""), command
    return ended.stdout.decode()


def test_the_address_is_in_the_first_line_that_the_demo_prints(tmp_path: Path) -> None:
    with serving(tmp_path, "--demo") as demo:
        assert demo.url().partition("&method")[0] in demo.lines[0]


def test_a_gateway_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [settings] = blocks(GATEWAY, "toml")
    (tmp_path / "gateway.toml").write_text(settings)
    first, commands, *_ = blocks(GATEWAY, "sh")
    assert first in blocks((ROOT / "README.md").read_text(encoding="utf-8"), "sh")
    assert first == "python -m pip install -e '.[gateway]' && envelope gateway serve --demo\n"
    lines = commands.splitlines()
    assert (lines[0], lines[-1]) == ("chmod 600 gateway.toml", "envelope gateway serve")
    for line in lines[1:-1]:
        assert run(*shlex.split(line)[1:]).exit_code == 0
    with serving(tmp_path) as gateway:
        assert b'"4004"' in get(f"{gateway.address}/openai/custom/?key=k&secret=s")[1]
        assert gateway.stop(signal.SIGTERM)[0] == 0


def test_the_receipt() -> None:
    [source] = blocks(GATEWAY, "pycon")
    out: list[str] = []
    doctest.DocTestRunner().run(doctest.DocTestParser().get_doctest(source, {}, "gateway.md", None, 0), out=out.append)
    assert not out, "".join(out)


def test_the_commands_of_the_table_exist() -> None:
    table = GATEWAY[GATEWAY.index("## The operator's commands") : GATEWAY.index("## Files and workers")]
    commands = [shlex.split(command) for command in re.findall(r"^\| `(.*?)` \|", table, re.MULTILINE)[1:]]
    names = run("gateway", "--help").stdout
    assert {command[0] for command in commands} | {"serve"} == {*re.findall(r"^  (\w+)  ", names, re.MULTILINE)}
    for command in commands:
        words = [word for word in command if word.startswith("--")]
        text = run("gateway", *command[: 2 if command[0] == "account" else 1], "--help").stdout
        assert all(word in text for word in words), command


def test_every_code_that_a_call_can_end_with_is_in_the_order() -> None:
    order = GATEWAY[GATEWAY.index("## One call") : GATEWAY.index("## Who pays")]
    assert {*re.findall(r"\b\d{4}\b", order)} == {row.code for row in REGISTRY}


TABLES: list[tuple[str, Any]] = [
    ("At the top", GatewaySettings),
    ("`[[prices]]`", PriceSettings),
    ("`[cache]`", CacheSettings),
    ("`[limits]`", LimitSettings),
]


@pytest.mark.parametrize(("heading", "model"), TABLES)
def test_every_setting_has_its_words_and_its_default(heading: str, model: Any) -> None:
    section = SETTINGS.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*?) ?\| (.+) \|$", section, re.MULTILINE)
    assert [name for name, *_ in rows] == list(model.model_fields)
    for name, default, words in rows:
        assert len(words) > 8
        field = model.model_fields[name]
        if default == "none":
            assert field.default is None
        elif default:
            value = tomllib.loads(f"value = {default.strip('`')}")["value"]
            given = {"upstreams": [{"name": "a", "address": "https://a"}]} if model is GatewaySettings else {}
            assert getattr(model(**given, **{name: value}), name) == field.default
        else:
            assert name in ("upstreams", "cache", "limits")


def test_the_settings_of_the_document(tmp_path: Path) -> None:
    [text] = blocks(SETTINGS, "toml")
    (tmp_path / "gateway.toml").write_text(text)
    settings = read_settings(tmp_path / "gateway.toml")
    assert settings.tariff.of("v1/images/edits", "").call == 40_000
    assert settings.tariff.of("v1/chat/completions", "gpt-4o-mini").completion == 10_000
    assert settings.cache.methods["v1/images/generations"] == 0


def test_the_variables_of_the_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gateway.toml").write_text(blocks(GATEWAY, "toml")[0])
    for name, value in re.findall(r"`(ENVELOPE_GATEWAY_\w+)=(\d+)`", SETTINGS):
        monkeypatch.setenv(name, value)
    settings = read_settings(tmp_path / "gateway.toml")
    assert (settings.seconds, settings.limits.body) == (30, 1_048_576)


@pytest.mark.parametrize("name", ["gateway.md", "gateway-settings.md", "gateway-admin.md"])
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[\w-]+)?\)", text_of(name)):
        assert (page(name).parent / target).exists()


def test_what_goes_wrong_at_the_start_is_said_in_these_words() -> None:
    table = GATEWAY[GATEWAY.index("## What goes wrong") : GATEWAY.index("## Security")]
    root = ROOT / "envelope"
    source = "".join(path.read_text() for room in ("gateway", "cli/gateway") for path in (root / room).rglob("*.py"))
    for text in re.findall(r"^\| `(.*?)` \|", table, re.MULTILINE)[1:]:
        assert text.partition(" …")[0] in source, text
