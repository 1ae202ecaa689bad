"""The documents show what their scripts make, and the check for that can fail."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import envelope
from envelope.calls.engine import Engine
from envelope.formats import ResultType
from envelope.registry import codes
from tests.documents import ROOT, blocks, page, text_of


def script(name: str) -> ModuleType:
    """The script tools/<name>.py as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_is_what_the_library_writes() -> None:
    picture = script("picture")
    assert picture.PICTURE.read_text(encoding="utf-8") == picture.draw()


def test_the_terminal_shows_what_the_command_does() -> None:
    pytest.importorskip("rich")
    terminal = script("terminal")
    drawn = terminal.draw()
    assert terminal.PICTURE.read_text(encoding="utf-8") == drawn
    vars(terminal)["SIZE"] = 250
    assert terminal.draw() != drawn


def test_the_progress_bar_is_what_the_command_draws(tmp_path: Path) -> None:
    pytest.importorskip("rich")
    terminal = script("terminal")
    picture = terminal.PROGRESS.read_text(encoding="utf-8")
    figures = terminal.figures_of(picture)
    assert terminal.draw_progress(figures) == picture
    # It was drawn from what a run reports.
    archive = tmp_path / "in.ser"
    archive.write_bytes(b's:3:"abc";\n' * 300_000)
    recorded = terminal.record(str(archive))
    assert recorded.keys() == figures.keys()
    assert recorded["size"] == 3_300_000
    done, records = recorded["half-way"][1:]
    assert recorded["size"] / 2 <= done == records * 11
    drawn = terminal.draw_progress({**recorded, "half-way": [2, 2_200_000, 200_000]})
    assert "2.2/3.3&#160;MB" in drawn
    assert "200,000&#160;records" in drawn


def test_the_client_of_signing() -> None:
    # The client that a real PHP runs, see tests/calls/php_request_run.py.
    (client,) = blocks(text_of("signing.md"), "php")
    assert (ROOT / "tests" / "calls" / "strict_signature.php").read_text(encoding="utf-8") == f"<?php\n\n{client}"


def test_the_error_of_php_files() -> None:
    text = text_of("php-files.md")
    (call,) = re.findall(r"^>>> (.*)\nTraceback", text, re.MULTILINE)
    (shown,) = re.findall(r"^envelope.errors.DecodeError: (.*)$", text, re.MULTILINE)
    with pytest.raises(envelope.DecodeError) as caught:
        eval(call, {"envelope": envelope})
    assert str(caught.value) == shown


@pytest.mark.skipif(shutil.which("jq") is None, reason="no jq on this machine")
def test_the_pipeline_of_tagged_json(tmp_path: Path) -> None:
    pytest.importorskip("rich")
    (pipeline,) = blocks(text_of("tagged-json.md"), "sh")
    command = f'envelope() {{ {shlex.quote(sys.executable)} -m envelope "$@"; }}\n{pipeline}'
    user = {"name": "Ann", "roles": ["admin"]}
    (tmp_path / "user.ser").write_bytes(envelope.dumps(user, "serialize"))
    subprocess.run(
        ["bash", "-eo", "pipefail", "-c", command],
        cwd=tmp_path,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    edited = envelope.loads((tmp_path / "user.ser").read_bytes(), "serialize")
    assert edited == {"name": "Bob", "roles": ["admin", "editor"]}


def servers() -> dict[str, str]:
    """The examples of servers.md by their headings, and that of the README."""
    examples = {}
    for path in (page("servers.md"), ROOT / "README.md"):
        text = path.read_text(encoding="utf-8")
        for section in re.split(r"^## ", text, flags=re.MULTILINE):
            for block in re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
                if "app = " in block:
                    examples["README" if path.name == "README.md" else section.partition("\n")[0]] = block
    return examples


SERVERS = servers()


@pytest.mark.parametrize(
    ("heading", "url", "payload"),
    [
        ("FastAPI", "/items/pen?lang=en", {"name": "pen (en)", "price": 1.5}),
        ("FastAPI", "/items/nothing?", []),
        ("README", "/items/7?", {"number": 7}),
        ("Starlette", "/items/pen?", {"name": "pen"}),
        ("Litestar", "/items/pen?", {"name": "pen"}),
        ("A gateway without a framework", "/openai/custom/?method=m", {"method": "m"}),
    ],
)
def test_the_servers_of_the_documents(heading: str, url: str, payload: object) -> None:
    for package in ("fastapi", "httpx2", "litestar"):
        pytest.importorskip(package)
    from starlette.testclient import TestClient

    source = SERVERS[heading]
    module = ModuleType(f"servers_{heading.split()[-1]}")
    sys.modules[module.__name__] = module  # frameworks look annotations up there
    exec(source, vars(module))
    if heading == "README":
        assert len([line for line in source.splitlines() if line]) <= 10
    client = TestClient(vars(module)["app"])
    for name in ResultType:
        answer = client.get(f"{url}&result_type={name}")
        assert Engine().parse(answer.content, answer.headers["content-type"]).response == payload
        missing = client.get(f"/nowhere?result_type={name}&method=m")
        code = Engine().parse(missing.content, missing.headers["content-type"]).error_code
        assert code == ("4014" if heading == "A gateway without a framework" else "4010")
    if heading != "A gateway without a framework":
        unknown = client.get(f"{url}&result_type=yaml")
        assert Engine().parse(unknown.content, unknown.headers["content-type"]).error_code == "4003"
    del sys.modules[module.__name__]


@pytest.mark.parametrize(("made", "status"), [("FastAPI()", 307), ("FastAPI(redirect_slashes=False)", 404)])
def test_a_call_of_the_fastapi_example(made: str, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("fastapi", "httpx2"):
        pytest.importorskip(package)
    from starlette.testclient import TestClient

    module = ModuleType("servers_call")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(SERVERS["FastAPI"].replace("FastAPI()", made), vars(module))
    client = TestClient(vars(module)["app"], follow_redirects=False)
    called = client.post('/openai/custom/?method=m&q=地球&n=5&_o_args={"a":1}').json()["response"]
    assert called == {"method": "m", "args": {"a": 1}, "params": {"q": "地球", "n": "5"}, "files": []}
    assert client.post("/openai/custom/?method=m").json()["response"]["args"] is None
    without = client.post("/openai/custom?method=m")
    assert (without.status_code, b"4010" in without.content) == (status, status == 404)


CODES = "envelope codes --format markdown --lang"


@pytest.mark.parametrize(
    ("name", "makers"),
    [
        ("ARCHITECTURE.md", ["python tools/import_graph.py"]),
        ("codes.md", [f"{CODES} en", f"{CODES} cn", f"{CODES} ru"]),
        ("verdicts.md", ["verdicts", "rules", "contradictions"]),
        ("case-toml.md", ["fixture rules"]),
        ("errors.md", ["hints"]),
        ("gateway-http.md", ["parameters"]),
    ],
)
def test_the_tables_are_what_the_library_says(name: str, makers: list[str]) -> None:
    if name == "ARCHITECTURE.md":
        pytest.importorskip("grimp", reason="import-linter is not installed (pip install -e '.[dev]')")
    tables, path = script("tables"), ROOT / name if (ROOT / name).exists() else page(name)
    text = path.read_text(encoding="utf-8")
    assert path in tables.FILES
    assert re.findall("<!-- made by: (.*) -->", text) == makers
    assert tables.made(text) == text


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("| 4008 | RATE_LIMIT_EXCEEDED |", "| 4008 | TOO_MANY |"),  # the made table, changed alone
        ("并发已达上限", "并发太多"),
        ("Достигнут лимит одновременных вызовов", "Слишком много вызовов"),
    ],
)
def test_a_table_that_was_changed_by_hand_has_drifted(text: str, other: str, tmp_path: Path) -> None:
    tables = script("tables")
    changed = tmp_path / "codes.md"
    original = text_of("codes.md")
    changed.write_text(original.replace(text, other), encoding="utf-8")
    assert changed.read_text(encoding="utf-8") != original
    vars(tables)["FILES"] = (changed,)
    assert list(tables.drifted()) == [changed]


@pytest.mark.parametrize("field", ["message", "cn", "en", "ru", "billing", "http_status", "retryable", "actor", "name"])
def test_a_row_that_was_changed_alone_has_drifted(field: str, tmp_path: Path) -> None:
    """If one field of one row of the registry changes, the command makes another table."""
    runner = pytest.importorskip("click.testing").CliRunner()
    command = pytest.importorskip("envelope.cli.command").envelope
    other = {"billing": '"free"', "http_status": "418", "retryable": "true", "actor": '"upstream"', "name": '"OTHER"'}
    overrides = tmp_path / "overrides.toml"
    overrides.write_text(f'[[overrides]]\ncode = "4003"\n{field} = {other.get(field, chr(34) + "other" + chr(34))}\n')
    shown = [
        runner.invoke(command, ["codes", "--format", "markdown", "--lang", lang, *more]).stdout
        for more in ([], ["--with", str(overrides)])
        for lang in ("cn", "en", "ru")
    ]
    assert shown[:3] != shown[3:]
    made = text_of("codes.md")
    assert all(table in made for table in shown[:3])


def test_the_grid_shows_every_code() -> None:
    grid = script("tables").verdicts().splitlines()
    assert len(grid) == 2 + len(codes.REGISTRY) + 2
