"""The README's examples: each does what the text beside it says."""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
import sys

import pytest

from tests.documents import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def run(command: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the command `envelope …` of this checkout."""
    arguments = shlex.split(command)
    assert arguments[0] == "envelope"
    return subprocess.run(
        [sys.executable, "-m", "envelope", *arguments[1:]], input=stdin, capture_output=True, cwd=ROOT, check=False
    )


def test_the_first_two_blocks_install_and_run_the_job_and_the_tests() -> None:
    (job, output), tests = (BLOCKS[0], BLOCKS[1]), BLOCKS[2]
    assert [BLOCKS[0][0], tests[0]] == ["sh", "sh"]
    assert [language for language, _ in BLOCKS].count("sh") == 3  # the third is in tests/cli/gateway/test_docs.py
    install, command = job[1].strip().split(" && ")
    assert install == "python -m pip install -e '.[cli]'"
    assert run(command).stdout.decode() == output[1].removesuffix("\n")
    assert tests[1].strip() == "python -m pip install -e '.[test]' && python -m pytest"
    assert len(README.split("```sh")[0].strip().splitlines()) <= 10


def test_it_is_one_screen() -> None:
    assert len(README.splitlines()) <= 160
    pictures = re.findall(r"docs/[\w/-]+\.(?:svg|png)", README)
    assert pictures == ["docs/five-formats.svg", "docs/pictures/playground.png", "docs/pictures/console.png"]
    assert all((ROOT / picture).exists() for picture in pictures)


def test_the_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    source = "\n".join(text for language, text in BLOCKS if language == "pycon")
    assert source.count(">>>") >= 6
    test = doctest.DocTestParser().get_doctest(source, {}, "README.md", "README.md", 0)
    out: list[str] = []
    runner = doctest.DocTestRunner()
    runner.run(test, out=out.append)
    assert runner.failures == 0, "".join(out)


def test_a_server_and_a_caller_are_short_and_beside_each_other() -> None:
    sources = [text for _, text in BLOCKS]
    (place,) = [place for place, text in enumerate(sources) if "app = FastAPI()" in text]
    server, caller = (list(filter(None, text.splitlines())) for text in sources[place : place + 2])
    assert "with GatewayClient" in "".join(caller)
    assert (len(server) <= 10, len(caller) <= 5) == (True, True)


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)]+)\)", README))
def test_links_lead_somewhere(target: str) -> None:
    name, _, section = target.partition("#")
    path = ROOT / (name or "README.md")
    assert path.exists()
    if section:
        headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert section in [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]
