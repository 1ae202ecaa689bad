"""The tables are what the steps make, and come to be once, whoever opens the store."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from envelope.gateway.books import audit
from envelope.gateway.stores import StoreError, open_store
from envelope.gateway.stores.migrating import HEAD, upgrade
from envelope.gateway.stores.tables import METADATA
from tests import postgresql as cluster


def test_the_newest_step_is_known() -> None:
    import envelope.gateway.stores.migrations as steps

    assert ScriptDirectory(next(iter(steps.__path__))).get_heads() == [HEAD]


def test_the_steps_make_the_tables(tmp_path: Path) -> None:
    open_store(tmp_path / "steps.db").close()
    steps = create_engine(f"sqlite:///{tmp_path / 'steps.db'}")
    with steps.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    # Alembic compares no checks, no partial indexes and no AUTOINCREMENT: SQLite keeps the texts.
    tables = create_engine(f"sqlite:///{tmp_path / 'tables.db'}")
    METADATA.create_all(tables)
    assert texts(steps) == texts(tables)


def texts(engine: Engine) -> list[list[str]]:
    """What made each table and index, in parts whose order does not matter."""
    with engine.connect() as connection:
        query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'"
        found = sorted(sorted(re.sub(r"[\s()]", "", sql).split(",")) for (sql,) in connection.exec_driver_sql(query))
    engine.dispose()
    return found


def test_other_databases_have_names_for_everything_once() -> None:
    for table in METADATA.sorted_tables:
        assert "None" not in str(
            CreateTable(table).compile(
                dialect=postgresql.dialect()  # type: ignore[no-untyped-call]
            )
        )
        names = [constraint.name for constraint in table.constraints]
        assert len(names) == len({*names})
    indexes = [index.name for table in METADATA.sorted_tables for index in table.indexes]
    assert len({*indexes, *METADATA.tables}) == len(indexes) + len(METADATA.tables)


OLD = {
    "account": "(7, 'alice', 'k', 'sealed', 'active', 90, 0, NULL, TRUE, 1)",
    "api": "('custom', 'maintenance')",
    "grants": "(7, 'custom', 'active', NULL, 1)",
    "call": "(3, 'r', 7, 'openai', 'custom', 'm', '', 'settled', '0000', TRUE, 'charged', 10, 10, 1, 2, 1, 'u', FALSE, 'en', 'json', 1, 2, 3, 4, 'n')",
    "entry": "(1, 7, NULL, 'deposit', 100, 'cash', 1), (2, 7, 3, 'charge', 10, '', 2)",
    "answer": "(1, 3, x'00', 2)",
    "repeat": "(7, 'k', x'01', 3, 1, 9)",
    "cached": "('7', 'c', 1, 9)",
    "job": "(1, 7, 3, 'm', x'', 'queued', NULL, 0, '', 1, 1)",
}
"""Rows of each table as the first step made it."""


def test_a_store_of_the_first_step_keeps_every_row(tmp_path: Path) -> None:
    keeps_every_row(f"sqlite:///{tmp_path / 'gateway.db'}", str(tmp_path / "gateway.db"))
    steps = create_engine(f"sqlite:///{tmp_path / 'gateway.db'}")
    tables = create_engine(f"sqlite:///{tmp_path / 'tables.db'}")
    METADATA.create_all(tables)
    assert texts(steps) == texts(tables)


def test_and_so_does_one_in_postgresql() -> None:
    if why := cluster.missing():
        pytest.skip(why)
    shared = cluster.shared()
    address = shared.address(shared.new_database())
    keeps_every_row(address.replace("postgresql:", "postgresql+psycopg:"), address)


def keeps_every_row(url: str, address: str) -> None:
    engine = create_engine(url)
    with engine.begin() as begun:
        upgrade(begun, "0001")
        assert {*inspect(begun).get_table_names()} == {*OLD, "alembic_version"}
        for table, rows in OLD.items():
            blob = r"decode('\1', 'hex')" if engine.name == "postgresql" else r"x'\1'"
            begun.exec_driver_sql(f"INSERT INTO {table} VALUES " + re.sub(r"x'(.*?)'", blob, rows))
        old = {table: [*map(tuple, begun.exec_driver_sql(f"SELECT * FROM {table}"))] for table in OLD}
    engine.dispose()
    with open_store(address) as store:
        found = {table: store.read_now(lambda db, table=table: db.execute(f"SELECT * FROM {table}")) for table in OLD}  # type: ignore[misc]
        assert store.read_now(audit) == []
    assert found.pop("entry") == [(*row, None) for row in old.pop("entry")]
    assert found.pop("repeat") == [(*row, False) for row in old.pop("repeat")]
    assert found == old


def test_a_newer_store_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    open_store(path).close()
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match="newer"):
        open_store(path)


def test_a_step_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE repeat (account)")  # the last table of the first step is there already
    connection.close()
    with pytest.raises(Exception, match="already exists"):
        open_store(path)
    engine = create_engine(f"sqlite:///{path}")
    assert inspect(engine).get_table_names() == ["repeat"]
    engine.dispose()


OPEN = "import sys; from envelope.gateway.stores import open_store; open_store(sys.argv[1]).close(); print(*sorted({'alembic', 'sqlalchemy'} & {*sys.modules}))"


def test_processes_that_open_it_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPEN, str(tmp_path / "gateway.db")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    ends = [process.communicate() for process in processes]
    assert {errors for _, errors in ends} == {""}
    # One made the tables; opening the store again imports nothing for it.
    assert sorted(out for out, _ in ends) == ["\n", "\n", "\n", "alembic sqlalchemy\n"]
