"""Books as the first step of the migrations made them, with something in each table."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import create_engine, inspect

from envelope.gateway.stores.addresses import is_postgresql
from envelope.gateway.stores.migrating import upgrade

_ROWS = {
    "account": "(7, 'alice', 'k', '{secret}', 'active', 90, 0, NULL, TRUE, 1)",
    "api": "('custom', 'maintenance')",
    "grants": "(7, 'custom', 'active', NULL, 1)",
    "call": "(3, 'r', 7, 'openai', 'custom', 'm', '', 'settled', '0000', TRUE, 'charged', 10, 10, 1, 2, 1, 'u', FALSE, 'en', 'json', 1, 2, 3, 4, 'n')",
    "entry": "(1, 7, NULL, 'deposit', 100, 'cash', 1), (2, 7, 3, 'charge', 10, '', 2)",
    "answer": "(1, 3, x'00', 2)",
    "repeat": "(7, 'k', x'01', 3, 1, 9)",
    "cached": "('7', 'c', 1, 9)",
    "job": "(1, 7, 3, 'm', x'', 'queued', NULL, 0, '', 1, 1)",
}
_NUMBERED = ("account", "call", "entry", "answer", "job")
_ADDED: dict[str, tuple[object, ...]] = {"entry": (None,), "repeat": (False,)}

Rows = dict[str, list[tuple[Any, ...]]]


def make_first(address: str, secret: str = "sealed") -> Rows:
    """Make such books in the empty store at *address*; what the newest step has to make of their rows."""
    engine = create_engine(_url(address))
    with engine.begin() as begun:
        upgrade(begun, "0001")
        assert {*inspect(begun).get_table_names()} == {*_ROWS, "alembic_version"}
        for table, rows in _ROWS.items():
            blob = r"decode('\1', 'hex')" if engine.name == "postgresql" else r"x'\1'"
            rows = re.sub(r"x'(.*?)'", blob, rows).format(secret=secret)
            begun.exec_driver_sql(f"INSERT INTO {table} VALUES {rows}")
            if engine.name == "postgresql" and table in _NUMBERED:  # as if the numbers had been given
                begun.exec_driver_sql(f"SELECT setval('{table}_id_seq', 7)")
    engine.dispose()
    return {table: [(*row, *_ADDED.get(table, ())) for row in rows] for table, rows in rows_of(address).items()}


def rows_of(address: str) -> Rows:
    """The rows of the tables that the first step made, as they are now."""
    return {table: _read(address, table) for table in _ROWS}


def step_of(address: str) -> str:
    """The step that the tables are at."""
    return str(_read(address, "alembic_version")[0][0])


def _read(address: str, table: str) -> list[tuple[Any, ...]]:
    engine = create_engine(_url(address))
    with engine.connect() as connection:
        rows = [*map(tuple, connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1"))]
    engine.dispose()
    return rows


def _url(address: str) -> str:
    return address.replace("postgresql:", "postgresql+psycopg:") if is_postgresql(address) else f"sqlite:///{address}"
