"""The extension modules: which there are, and whether they are in use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from envelope.formats import _native, php_serialize
from tests import native

pytestmark = native.requires_native


def test_pure_python_can_be_asked_for() -> None:
    assert _native.load({"ENVELOPE_PURE": "1"}) == {}
    assert bool(_native.load({"ENVELOPE_PURE": "0"})) == bool(native.MODULES)
    code = "import envelope; print(envelope.NATIVE)"
    for pure, is_native in (("1", False), ("", bool(native.MODULES))):
        environ = {**os.environ, "ENVELOPE_PURE": pure}
        ran = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
        assert ran.stdout.strip() == str(is_native)


def test_each_source_is_a_module_that_is_loaded() -> None:
    sources = sorted(path.stem for path in Path(_native.__file__).parent.glob("*.pyx"))
    if not sources:
        pytest.skip("installed without its sources")
    assert sources == list(_native.MODULES)


def test_all_modules_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_native, "MODULES", (*_native.MODULES, "_never_written"))
    assert _native.load({}) == {}


def test_the_python_twin_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_native, "_LOADED", {})
    assert _native.compiled("_serialize_write", "php_serialize", "dumps") is php_serialize.dumps
