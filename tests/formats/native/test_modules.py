"""The extension modules: which there are, and whether they are in use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from envelope import formats
from envelope.formats import native as compiled
from envelope.formats.serialize import write
from tests import native

pytestmark = native.requires_native


def test_pure_python_can_be_asked_for() -> None:
    assert compiled.load({"ENVELOPE_PURE": "1"}) == {}
    assert bool(compiled.load({"ENVELOPE_PURE": "0"})) == bool(native.MODULES)
    code = "import envelope; print(envelope.NATIVE)"
    for pure, is_native in (("1", False), ("", bool(native.MODULES))):
        environ = {**os.environ, "ENVELOPE_PURE": pure}
        ran = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
        assert ran.stdout.strip() == str(is_native)


def test_each_source_is_a_module_that_is_loaded() -> None:
    folder = Path(formats.__file__).parent
    sources = sorted(".".join(path.relative_to(folder).with_suffix("").parts) for path in folder.rglob("*.pyx"))
    if not sources:
        pytest.skip("installed without its sources")
    assert sources == list(compiled.MODULES)


def test_all_modules_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "MODULES", (*compiled.MODULES, "json._never_written"))
    assert compiled.load({}) == {}


def test_the_python_twin_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "_LOADED", {})
    assert compiled.compiled("serialize", "write") is write
