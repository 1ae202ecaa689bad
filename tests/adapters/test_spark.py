"""Apache Spark: a real one, whose executors are separate processes, and get killed."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import envelope
from tests import spark
from tests.cli.bulk.archives import archive, errors_in, is_alive, on_linux, processes_of, run, wait_for

pytestmark = pytest.mark.spark

# These JVMs run for seconds: the optimizing compiler would use more than half of their time, and never pay off.
QUICK_JAVA = {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}

SESSION = """
import json, sys
from pathlib import Path
from pyspark.sql import SparkSession
from envelope.adapters.spark import convert_frame, convert_lines, main, register
from envelope.conversion.documents import Conversion

def refused(ask):
    try:
        ask()
    except Exception as error:
        return str(error)

settings = {"ui.enabled": "false", "driver.host": "127.0.0.1", "sql.shuffle.partitions": "2", "log.level": "OFF"}
builder = SparkSession.builder.master("local[2]")
for name, value in settings.items():
    builder.config(f"spark.{name}", value)
spark = builder.getOrCreate()
register(spark)
rows = [(1, b"i:1;"), (2, 's:3:"\u4e2d";'.encode()), (3, b"a:0:{}x"), (4, None)]
frame = spark.createDataFrame(rows, "id int, doc binary").repartition(2)
frame.createOrReplaceTempView("archive")
asked = spark.sql(
    "select id, envelope_convert(doc, 'serialize', 'json') as made, envelope_error(doc, 'serialize', 'json') as error,"
    " envelope_convert(string(doc), 'serialize', 'xml') as xml from archive order by id"
).collect()
register(spark, objects="tagged")
bytes_ = spark.sql("select envelope_convert('{\\"@base64\\":\\"/w==\\"}', 'json', 'serialize') as made").selectExpr("hex(made)")
tagged = [
    bytes_.collect()[0][0],
    spark.sql("select envelope_convert('O:1:\\"A\\":0:{}', 'serialize', 'json')").collect()[0][0],
    spark.sql("select envelope_error('{\\"@base64\\":1}', 'json', 'serialize')").collect()[0][0].path,
]
register(spark)
conversion = Conversion(source="serialize", target="jsonu")
made = convert_frame(frame, "doc", conversion, error_column="fault")
cells = [(1, "19.90"), (2, ""), (3, 'a:1:{i:0;i:7;}'), (4, "a:1:{i:0;x}"), (5, 'a:1:{s:1:"k";s:9:"cut";}'), (6, None)]
mixed = Conversion(source="serialize", target="json", mixed=True, repair=True, keep_rows="as-is")
texts = convert_frame(spark.createDataFrame(cells, "id int, doc string").repartition(2), "doc", mixed)
source, there = (str(Path(sys.argv[1], name)) for name in ("in.ser", "there"))
shown = {
    "sql": [row.asDict(recursive=True) for row in asked],
    "frame": [[row.id, row.doc and row.doc.decode(), row.fault and row.fault.asDict()] for row in made.orderBy("id").collect()],
    "columns": made.dtypes,
    "tagged": tagged,
    "mixed": [[row.doc, row.error and row.error.kind] for row in texts.orderBy("id").collect()],
    "text": texts.dtypes[1],
    "formats": refused(spark.sql(
        "select envelope_convert('i:1;', if(id = 1, 'serialize', 'json'), 'json') from range(0, 3, 1, 1)").collect),
    "format": refused(spark.sql("select envelope_convert(doc, 'yaml', 'json') from archive").collect),
    "no column": refused(lambda: convert_frame(frame, "body", conversion)),
    "column twice": refused(lambda: convert_frame(frame, "doc", conversion, error_column="ID")),
    "there": refused(lambda: convert_lines(spark, source, source + ".out", there, conversion)),
    "job": main(["--in", source + "x", "--out", source + ".out", "--from", "json", "--to", "xml", "--master", "local[2]"]),
}
print(json.dumps(shown))
"""


def test_sql_functions_and_data_frames(tmp_path: Path) -> None:
    (tmp_path / "in.ser").write_bytes(b"i:1;\n")
    (tmp_path / "there").mkdir()
    ran = subprocess.run(
        [sys.executable, "-c", SESSION, str(tmp_path)], capture_output=True, timeout=300, check=False,
        env={**os.environ, **QUICK_JAVA, "PYSPARK_PYTHON": sys.executable},
    )  # fmt: skip
    said = ran.stderr.decode()
    assert ran.returncode == 0, said[-3000:]
    shown: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    with pytest.raises(envelope.DecodeError) as caught:
        envelope.loads(b"a:0:{}x", "serialize")
    error = {
        "kind": "malformed",
        "offset": caught.value.offset,
        "path": "$",
        "reason": caught.value.reason,
        "hint": None,
    }
    xml = [envelope.dumps(value, "xml").decode() for value in (1, "中")]
    assert [(row["made"], row["error"], row["xml"]) for row in shown["sql"]] == [
        ("1", None, xml[0]), (r'"\u4e2d"', None, xml[1]), (None, error, None), (None, None, None),
    ]  # fmt: skip
    assert shown["frame"] == [[1, "1", None], [2, '"中"', None], [3, None, error], [4, None, None]]
    fault = "struct<kind:string,offset:bigint,path:string,reason:string,hint:string>"
    assert shown["columns"] == [["id", "int"], ["doc", "binary"], ["fault", fault]]
    assert shown["mixed"] == [
        ['"19.90"', None], ['""', None], ["[7]", None], ["a:1:{i:0;x}", "malformed"], ['{"k":"cut"}', "repaired"],
        [None, None],
    ]  # fmt: skip
    assert shown["text"] == ["doc", "string"]
    assert "the formats must be the same in every row" in shown["formats"]
    assert "'yaml' is not one of json, jsonu, xml, serialize, var_export" in shown["format"]
    assert shown["no column"] == "the data frame has no column 'body', but id, doc"
    assert shown["column twice"] == "the data frame has a column 'ID' already: name another error_column"
    # An existing directory is found before anything is converted; a missing one is reported in one line.
    assert shown["there"] == f"{tmp_path / 'there'} already exists"
    assert shown["job"] == 2
    made = b's:1:"\xff";'.hex().upper()
    assert shown["tagged"] == [made, '{"@class":"A"}', '$["@base64"]']
    assert f"error: [PATH_NOT_FOUND] Path does not exist: file:{tmp_path}/in.serx" in said
    assert "Traceback" not in said
    assert {path.name for path in tmp_path.iterdir()} == {"in.ser", "there"}


def test_the_job_has_tags_between_some_formats(capsys: pytest.CaptureFixture[str]) -> None:
    from envelope.adapters.spark import main

    with pytest.raises(SystemExit, match="2"):
        main(["--in", "a", "--out", "b", "--from", "json", "--to", "xml", "--objects", "tagged"])
    assert "is between serialize or var_export and json or jsonu" in capsys.readouterr().err


def test_the_job_keeps_rows_and_tells_what_happened(tmp_path: Path) -> None:
    source, out = tmp_path / "in.txt", tmp_path / "out"
    source.write_bytes(b'{}\n\n["a"]\n[\n{"k": {}}\n')
    job = [sys.executable, "-m", "envelope.adapters.spark", "--in", str(source), "--from", "json", "--to", "serialize"]
    keeping = [*job, "--out", str(out), "--keep-rows", "as-is", "--master", "local[1]"]
    environment = {**os.environ, **QUICK_JAVA}
    ran = subprocess.run(keeping, capture_output=True, timeout=300, check=False, env=environment)
    assert ran.returncode == 1
    parts = b"".join(path.read_bytes() for path in sorted(out.glob("part-*")))
    assert parts == b'a:0:{}\n\na:1:{i:0;s:1:"a";}\n[\na:1:{s:1:"k";a:0:{}}\n'
    said = ran.stderr.decode()
    assert "warning: lost: dict → list (2)" in said
    assert "error: 1 of 4 records could not be converted" in said


def test_the_job_needs_two_directories(capsys: pytest.CaptureFixture[str]) -> None:
    from envelope.adapters.spark import main

    with pytest.raises(SystemExit, match="2"):
        main(["--in", "a", "--out", "b", "--errors", "b", "--from", "json", "--to", "xml"])
    assert "--errors and --out are the same directory" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["--in", "a", "--out", "b", "--mixed", "--from", "json", "--to", "xml"])
    assert "mixed is for serialize" in capsys.readouterr().err


@contextmanager
def running(command: list[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended with all its children, whatever the outcome of the test."""
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def below(pid: int) -> list[int]:
    """Its children, theirs, and so on."""
    children = processes_of(pid)
    return children + [deeper for child in children for deeper in below(child)]


def executors_of(pid: int) -> set[int]:
    """The executors' processes, started by the driver."""
    executors = set()
    for child in below(pid):
        with suppress(OSError):  # it may have ended since it was found
            if b"CoarseGrainedExecutorBackend" in Path(f"/proc/{child}/cmdline").read_bytes():
                executors.add(child)
    return executors


def listening(pids: list[int]) -> set[str]:
    """The addresses at which these processes wait for connections, as the kernel spells them."""
    open_files = set()
    for pid in pids:
        with suppress(OSError):
            open_files |= {os.readlink(file) for file in Path(f"/proc/{pid}/fd").iterdir()}
    rows = [row.split() for table in ("tcp", "tcp6") for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    return {row[1].partition(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in open_files}


LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}


@on_linux
def test_a_killed_executor_changes_no_byte(tmp_path: Path) -> None:
    source, out, errors, log = tmp_path / "in.ser", tmp_path / "out", tmp_path / "errors", tmp_path / "log"
    archive(source, 2_000_000, bad_every=50)
    with open(source, "ab") as file:
        file.write(b"\n\r\nbad\xff\r\ni:1;\r\n" + b's:3:"a\rb";')
    single = run("--lines", str(source), "--to", "jsonu", "--errors", str(tmp_path / "bad"))
    # Small partitions, so that there are many.
    environment = {**spark.environment(log, {"spark.sql.files.maxPartitionBytes": "131072"}), **QUICK_JAVA}
    environment.pop("SPARK_LOCAL_IP", None)  # which the job sets itself
    with running(spark.job(source, out, errors, 1024), environment) as process:
        executors = wait_for(lambda: len(found := executors_of(process.pid)) == 2 and found, 300)
        # Some tasks are done, and others run; stop both executors, lest everything be done before one is killed.
        wait_for(lambda: len(list(out.glob("_temporary/0/task_*"))) >= 6, 300)
        for executor in executors:
            os.kill(executor, signal.SIGSTOP)
        started = below(process.pid)
        addresses = listening(started)
        assert addresses
        assert addresses <= LOOPBACK
        # Kill the one whose Python started first, because it has done tasks: the other may still be starting, and the
        # first would do all that is left.
        killed = min(executors, key=lambda executor: min(below(executor), default=sys.maxsize))
        os.kill(killed, signal.SIGKILL)
        assert not (out / "_SUCCESS").exists()
        new = wait_for(lambda: executors_of(process.pid) - executors, 120)
        for executor in executors - {killed}:
            os.kill(executor, signal.SIGCONT)
        started += new
        assert process.stderr is not None
        said = process.stderr.read().decode()
        assert process.wait(300) == 1, said[-3000:]
        wait_for(lambda: not any(map(is_alive, started)))
    # The order within a single file is kept, too.
    parts = b"".join(path.read_bytes() for path in sorted(out.glob("part-*")))
    assert parts == single.stdout_bytes
    wanted = errors_in(tmp_path / "bad")
    assert len(wanted) > 10
    assert f"error: {len(wanted)} of " in said.splitlines()[-1]
    found = [json.loads(line) for path in sorted(errors.glob("part-*")) for line in path.read_bytes().splitlines()]
    assert [*map(_error, found)] == [(row["record_offset"], *_error(row)[1:]) for row in wanted]
    # The executors did the work, and the loss of one was noticed.
    assert len(spark.tasks_done(log)) >= 2
    assert len(spark.events(log, "SparkListenerExecutorAdded")) >= 3
    assert spark.events(log, "SparkListenerExecutorRemoved")


def _error(row: dict[str, Any]) -> tuple[Any, ...]:
    raw = row["raw"].encode() if "raw" in row else base64.b64decode(row["raw_base64"])
    return row["offset"], row["kind"], row["path"], row["reason"], raw


def test_without_pyspark_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.delitem(sys.modules, "envelope.adapters.spark", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'envelope-engine\[spark\]'"):
        __import__("envelope.adapters.spark")
