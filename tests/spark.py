"""The Spark that this suite starts: on this machine only, with executors in separate processes."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def missing() -> str:
    """Why Spark cannot be started here; empty if it can."""
    if shutil.which("java") is None:
        return "no java on this machine"
    return "" if importlib.util.find_spec("pyspark") else "no pyspark: pip install 'envelope-engine[spark]'"


def job(source: Path, out: Path, errors: Path, memory: int) -> list[str]:
    """The command that converts an archive on two executors of one processor each, with *memory* MiB."""
    return [sys.executable, "-m", "envelope.adapters.spark", "--in", str(source), "--out", str(out),
            "--errors", str(errors), "--from", "serialize", "--to", "jsonu",
            "--master", f"local-cluster[2,1,{memory}]"]  # fmt: skip


def environment(log: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a `job`: these Spark *settings*, no web page, and a new folder for its event log."""
    log.mkdir()
    given = {
        "spark.ui.enabled": "false",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": log.as_uri(),
        "spark.eventLog.compress": "false",
        "spark.eventLog.rolling.enabled": "false",
        **settings,
    }
    arguments = " ".join(f"--conf {name}={value}" for name, value in given.items())
    return {**os.environ, "PYSPARK_SUBMIT_ARGS": f"{arguments} pyspark-shell"}


def events(log: Path, kind: str) -> list[dict[str, Any]]:
    """The events in the log of a `job` that has ended."""
    (file,) = log.iterdir()
    return [event for line in file.read_bytes().splitlines() if (event := json.loads(line))["Event"] == kind]


def tasks_done(log: Path) -> Counter[str]:
    """How many tasks each executor has done."""
    ended = events(log, "SparkListenerTaskEnd")
    return Counter(
        event["Task Info"]["Executor ID"] for event in ended if event["Task End Reason"]["Reason"] == "Success"
    )
