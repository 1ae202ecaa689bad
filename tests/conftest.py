"""Fixtures that all tests share, and Hypothesis's two profiles."""

from __future__ import annotations

import gc
import inspect
import signal
import sys
from collections.abc import Iterator
from itertools import product

import hypothesis
import pytest

from envelope import ResultType, api, formats
from envelope.testing.php import Php
from tests import chromium, native, postgresql, spark
from tests import php as php_process
from tests.effort import PROFILE

pytest_plugins = ["envelope.testing.plugin", "pytester"]

# The default is small and repeats itself; HYPOTHESIS_PROFILE=thorough looks for new faults.
hypothesis.settings.register_profile("default", max_examples=50, derandomize=True, deadline=None)
hypothesis.settings.register_profile("thorough", max_examples=5000, deadline=None)
hypothesis.settings.load_profile(PROFILE)

WHY_NO_BROWSER = chromium.missing()
WHY_NO_PHP = php_process.missing()
WHY_NO_POSTGRESQL = postgresql.missing()
WHY_NO_SPARK = spark.missing()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reasons = {"browser": WHY_NO_BROWSER, "php": WHY_NO_PHP, "postgresql": WHY_NO_POSTGRESQL, "spark": WHY_NO_SPARK}
    for marker, reason in reasons.items():
        for item in items:
            if reason and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))
    # The longest tests first: at the end, one process would run them while the others have nothing left to do.
    items.sort(key=lambda item: item.get_closest_marker("spark") is None)


def pytest_collection_finish() -> None:
    """Nothing that collection made is garbage before the end: looking through it again and again takes minutes."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _interrupts() -> None:
    """Child processes can be interrupted, even if the suite runs in the background of a script (`pytest &`)."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _plain_terminal() -> Iterator[None]:
    """Output is the same wherever tests run; a test may set one of these itself."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="module", params=["pure", pytest.param("compiled", marks=native.requires_native)])
def impl(request: pytest.FixtureRequest) -> Iterator[str]:
    """Both implementations of the codecs in turn, for every test of a module that uses it."""
    pick = native.pick_pure if request.param == "pure" else native.pick_compiled
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(formats, "FORMATS", formats.make_formats(pick))
        shortcuts = native.MODULES.get("serialize._to_json") if request.param == "compiled" else None
        patch.setattr(formats, "SHORTCUTS", formats.make_shortcuts(shortcuts))
        # The compiled ones keep the codecs they were made with, wherever they were imported.
        calls = {name: getattr(api, name) for name in ("dumps", "loads")}
        modules = [module for name, module in sys.modules.items() if name.split(".")[0] in ("envelope", "tests")]
        for module, (name, call) in product(modules, calls.items()):
            if vars(module).get(name) is call:
                patch.setattr(module, name, inspect.unwrap(call))
        yield request.param


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Archives are cut into chunks of 4 KiB."""
    monkeypatch.setattr("envelope.cli.bulk.chunks.CHUNK", 4096)


@pytest.fixture(scope="session")
def php() -> Iterator[Php]:
    with php_process.start() as process:
        yield process


@pytest.fixture(scope="session", params=list(ResultType))
def fmt(request: pytest.FixtureRequest) -> ResultType:
    """Each format in turn: one test body covers all five."""
    result: ResultType = request.param
    return result


@pytest.fixture(scope="session", params=[ResultType.SERIALIZE, ResultType.VAR_EXPORT])
def php_fmt(request: pytest.FixtureRequest) -> ResultType:
    """Each format that supports PHP's own domain."""
    result: ResultType = request.param
    return result
