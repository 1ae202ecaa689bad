"""Apache Spark: a real one, whose executors are processes of their own, and die."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import envelope
from tests.test_bulk import archive, errors_in, on_linux, processes_of, run, wait_for

pytestmark = pytest.mark.spark

# The names of this machine are looked up on no network.
ENVIRONMENT = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "localhost"}

SESSION = """
import json, sys
from pyspark.sql import SparkSession
from envelope.adapters.spark import convert_frame, register
from envelope.records import Conversion
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
register(spark)
rows = [(1, b"i:1;"), (2, 's:3:"\\u4e2d";'.encode()), (3, b"a:0:{}x"), (4, None)]
frame = spark.createDataFrame(rows, "id int, doc binary").repartition(2)
frame.createOrReplaceTempView("archive")
asked = spark.sql(
    "select id, envelope_convert(doc, 'serialize', 'json') as made, envelope_error(doc, 'serialize', 'json') as error,"
    " envelope_convert(string(doc), 'serialize', 'xml') as xml from archive order by id"
).collect()
made = convert_frame(frame, "doc", Conversion(source="serialize", target="jsonu"), error_column="fault")
print(json.dumps({
    "sql": [row.asDict(recursive=True) for row in asked],
    "frame": [[row.id, row.doc and row.doc.decode(), row.fault and row.fault.asDict()] for row in made.orderBy("id").collect()],
    "columns": made.dtypes,
}))
"""


def test_sql_functions_and_data_frames() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SESSION], capture_output=True, timeout=300, check=False,
        env={**ENVIRONMENT, "PYSPARK_PYTHON": sys.executable},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr.decode()[-3000:]
    shown: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    with pytest.raises(envelope.DecodeError) as caught:
        envelope.loads(b"a:0:{}x", "serialize")
    error = {"kind": "malformed", "offset": caught.value.offset, "path": "$", "reason": caught.value.reason}
    xml = [envelope.dumps(value, "xml").decode() for value in (1, "中")]
    assert [(row["made"], row["error"], row["xml"]) for row in shown["sql"]] == [
        ("1", None, xml[0]), (r'"\u4e2d"', None, xml[1]), (None, error, None), (None, None, None),
    ]  # fmt: skip
    assert shown["frame"] == [[1, "1", None], [2, '"中"', None], [3, None, error], [4, None, None]]
    assert shown["columns"][:2] == [["id", "int"], ["doc", "binary"]]


def job(source: Path, out: Path, errors: Path, master: str) -> subprocess.Popen[bytes]:
    """The job, over partitions small enough that there are many."""
    return subprocess.Popen(
        [sys.executable, "-m", "envelope.adapters.spark", "--in", str(source), "--out", str(out), "--errors", str(errors),
         "--from", "serialize", "--to", "jsonu", "--master", master],
        env={**ENVIRONMENT, "PYSPARK_SUBMIT_ARGS": "--conf spark.sql.files.maxPartitionBytes=131072 pyspark-shell"},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def executors_below(pid: int) -> list[int]:
    """The executors' processes: those of Java below the driver, which is one below the job."""
    below = [child for parent in processes_of(pid) for child in processes_of(parent)]
    return [child for child in below if b"CoarseGrainedExecutorBackend" in Path(f"/proc/{child}/cmdline").read_bytes()]


@on_linux
def test_an_executor_that_is_killed_changes_no_byte(tmp_path: Path) -> None:
    source, out, errors = tmp_path / "in.ser", tmp_path / "out", tmp_path / "errors"
    archive(source, 4_000_000, bad_every=50)
    with open(source, "ab") as file:
        file.write(b"\n\r\nbad\xff\r\ni:1;\r\n" + b's:3:"a\rb";')
    single = run("--lines", str(source), "--to", "jsonu", "--errors", str(tmp_path / "bad"))
    with job(source, out, errors, "local-cluster[2,1,1024]") as process:
        # Some tasks are done, and others run.
        wait_for(lambda: len(list(out.glob("_temporary/0/task_*"))) >= 2, 300)
        executors = executors_below(process.pid)
        assert len(executors) == 2
        os.kill(executors[0], signal.SIGKILL)
        assert not (out / "_SUCCESS").exists()
        new = wait_for(lambda: set(executors_below(process.pid)) - set(executors), 120)
        assert new
        assert process.stderr is not None
        said = process.stderr.read().decode()
        assert process.wait(300) == 1, said[-3000:]
    parts = b"".join(path.read_bytes() for path in sorted(out.glob("part-*")))
    assert sorted(parts.splitlines()) == sorted(single.stdout_bytes.splitlines())
    assert parts.count(b"\n") == single.stdout_bytes.count(b"\n")
    wanted = errors_in(tmp_path / "bad")
    assert f"{len(wanted)} of " in said.splitlines()[-1]
    found = [json.loads(line) for path in errors.glob("part-*") for line in path.read_bytes().splitlines()]
    assert sorted(map(_error, found)) == sorted(map(_error, wanted))


def _error(row: dict[str, Any]) -> tuple[Any, ...]:
    raw = row["raw"].encode() if "raw" in row else base64.b64decode(row["raw_base64"])
    return row["kind"], row["path"], row["reason"], raw


def test_without_pyspark_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.delitem(sys.modules, "envelope.adapters.spark", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'envelope-engine\[spark\]'"):
        __import__("envelope.adapters.spark")
