"""The version, the tag, the changelog and the hook's rev agree; the source distribution has sources alone."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

import envelope
from tests.documents import ROOT, text_of

CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def release() -> ModuleType:
    spec = importlib.util.spec_from_file_location("release", ROOT / "tools" / "release.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_newest_release_of_the_changelog_is_the_version() -> None:
    headings = re.findall(r"^## \[(.+?)\](?: - \d{4}-\d\d-\d\d)?$", CHANGELOG, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert headings[1:2] in ([], [envelope.__version__])
    assert len(headings) == len(re.findall("^## ", CHANGELOG, re.MULTILINE))


def test_the_hook_is_that_of_the_version() -> None:
    assert re.findall(r"rev: (\S+)", text_of("fixtures.md")) == [f"v{envelope.__version__}"]


def test_a_tag_of_this_commit_is_the_version() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no repository")
    ran = subprocess.run(["git", "tag", "--points-at", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    tags = [tag for tag in ran.stdout.split() if re.match(r"v\d", tag)]
    assert tags in ([], [f"v{envelope.__version__}"])


def test_the_source_distribution_has_sources_alone(tmp_path: Path) -> None:
    for package in ("build.env", "Cython", "setuptools"):
        pytest.importorskip(package)
    copied = shutil.ignore_patterns(".git", "build", "dist", "*.so", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, tmp_path / "checkout", ignore=copied)
    make = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", str(tmp_path), "checkout"]
    subprocess.run(make, cwd=tmp_path, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": ""})
    [made] = tmp_path.glob("*.tar.gz")
    assert made.name == f"envelope_engine-{envelope.__version__}.tar.gz"
    release().check_sdist(made)
    with tarfile.open(made) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"SECURITY.md", "envelope/formats/xml/typed.rng", "docs/conf.py", "tests/documents.py"} <= names


def test_a_generated_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "read.cpp").touch()
    with tarfile.open(tmp_path / "made.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "read.cpp", "made/read.cpp")
    with pytest.raises(SystemExit, match=r"read\.cpp"):
        release().check_sdist(tmp_path / "made.tar.gz")
