"""Books copied from one store into another, of whatever kinds: every row, under the number that it has."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any, Final

from sqlalchemy import Boolean, LargeBinary, Table

from envelope.gateway.stores.errors import StoreError
from envelope.gateway.stores.sqlite.store import SqliteStore
from envelope.gateway.stores.store import Store, Transaction
from envelope.gateway.stores.tables import METADATA

__all__ = ["Figures", "copy_books", "figures_of"]

Figures = dict[str, int]
"""How many rows each table has, by its name, and sums of money in micro-units, by table and column."""

_ROWS: Final = 10  # with one statement: SQLite looks each parameter up among all of the statement
_MONEY: Final = ("account.balance", "account.held", "call.hold", "call.charge", "entry.amount")
_MAKERS: Final[dict[type, Callable[[Any], Any]]] = {Boolean: bool, LargeBinary: bytes}


def _nothing(*_: object) -> None:
    pass


def copy_books(
    source: Store,
    target: Store,
    *,
    told: Callable[[int, int], None] = _nothing,
    checked: Callable[[Transaction], None] = _nothing,
) -> Figures:
    """Copy all that *source* has, as it is at one moment, into *target*, which has nothing; what was copied.

    All of it or nothing, in one transaction, and in constant memory. *told* hears how many rows are done, and how many
    there are. *checked* sees the copy before it is recorded; what it raises undoes it. *target* gives no number that
    *source* has given, not even one whose row is gone. Raises `StoreError` if *target* has something.
    """
    copy = _Copy(source, target, told, checked)
    try:
        return target.write_now(copy, is_long=True)
    except BaseException:  # Ctrl-C, too, after which another thread may still copy
        copy.stopped.set()
        raise


def figures_of(db: Transaction) -> Figures:
    """What a copy must agree in."""
    counts = {table.name: _one(db, f"SELECT count(*) FROM {table.name}") for table in METADATA.sorted_tables}  # noqa: S608  # our own names, as below
    sums = {}
    for name in _MONEY:
        table, column = name.split(".")
        sums[name] = _one(db, f"SELECT CAST(coalesce(sum({column}), 0) AS BIGINT) FROM {table}")  # noqa: S608
    return counts | sums


class _Copy:
    """The transaction on the target. What stopped it once stops it again, if it is run again."""

    def __init__(
        self,
        source: Store,
        target: Store,
        told: Callable[[int, int], None],
        checked: Callable[[Transaction], None],
    ) -> None:
        self.stopped = Event()
        self._source = source
        self._target = target
        self._told = told
        self._checked = checked
        self._failure: BaseException | None = None

    def __call__(self, db: Transaction) -> Figures:
        if self._failure is not None:
            raise self._failure
        try:
            # Others may write to the source meanwhile: this is one view of it.
            figures = self._source.read_now(lambda view: self._copied(view, db))
            self._checked(db)
        except BaseException as error:
            self._failure = error
            raise
        return figures

    def _copied(self, view: Transaction, db: Transaction) -> Figures:
        if any(_one(db, f"SELECT count(*) FROM {table.name}") for table in METADATA.sorted_tables):  # noqa: S608
            raise StoreError("there are books already: what they are copied into must be empty")
        figures = figures_of(view)
        rows = sum(figures[table.name] for table in METADATA.sorted_tables)
        done = 0
        for table in METADATA.sorted_tables:  # those that others refer to are first
            for count in _copy_table(table, view, db):
                done += count
                self._told(done, rows)
                if self.stopped.is_set():
                    raise StoreError("the copy was stopped")
            if _is_numbered(table):
                _go_on_after(_last_number(table, view, self._source), table, db, self._target)
        if figures_of(db) != figures:
            raise StoreError("the copy is not what was copied")
        return figures


def _copy_table(table: Table, view: Transaction, db: Transaction) -> Any:
    """Copy the rows of one table, in the order of its key; how many there were, again and again."""
    columns = [column.name for column in table.columns]
    makers = [_maker(column.type) for column in table.columns]
    key = [column.name for column in table.primary_key]
    places = [columns.index(name) for name in key]
    order = ", ".join(key)
    start = f"SELECT {', '.join(columns)} FROM {table.name}"  # noqa: S608
    after = f"WHERE ({order}) > ({', '.join(f':k{place}' for place in places)})"
    end = f"ORDER BY {order} LIMIT {_ROWS}"
    rows = view.execute(f"{start} {end}")
    while rows:
        values = {
            f"v{line}_{place}": None if value is None else make(value)
            for line, row in enumerate(rows)
            for place, (value, make) in enumerate(zip(row, makers, strict=True))
        }
        db.execute(_insert(table.name, columns, len(rows)), **values)
        yield len(rows)
        last = {f"k{place}": rows[-1][place] for place in places}
        rows = view.execute(f"{start} {after} {end}", **last) if len(rows) == _ROWS else []


def _insert(table: str, columns: list[str], rows: int) -> str:
    lines = (f"({', '.join(f':v{line}_{place}' for place in range(len(columns)))})" for line in range(rows))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join(lines)}"  # noqa: S608


def _maker(type_: Any) -> Callable[[Any], Any]:
    """What makes a value of one store's a value of any: SQLite has no booleans, for instance."""
    return next((make for kind, make in _MAKERS.items() if isinstance(type_, kind)), lambda value: value)


def _is_numbered(table: Table) -> bool:
    """Whether the rows of the table are numbered."""
    return "id" in table.columns


def _last_number(table: Table, view: Transaction, store: Store) -> int:
    """The highest number that *store* has given to a row of the table, be it there or gone."""
    highest = _one(view, f"SELECT coalesce(max(id), 0) FROM {table.name}")  # noqa: S608
    if isinstance(store, SqliteStore):
        given = view.execute("SELECT seq FROM sqlite_sequence WHERE name = :name", name=table.name)
    else:
        given = view.execute(f"SELECT last_value FROM {table.name}_id_seq WHERE is_called")  # noqa: S608
    return max(highest, *(int(number) for (number,) in given), 0)


def _go_on_after(number: int, table: Table, db: Transaction, store: Store) -> None:
    """Let the next row of the table have a number above *number*."""
    if not isinstance(store, SqliteStore):
        if number:
            db.execute(f"SELECT setval('{table.name}_id_seq', :number)", number=number)
    elif table.dialect_options["sqlite"]["autoincrement"]:
        db.execute("DELETE FROM sqlite_sequence WHERE name = :name", name=table.name)
        db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :number)", name=table.name, number=number)


def _one(db: Transaction, sql: str) -> int:
    [(number,)] = db.execute(sql)
    return int(number)
