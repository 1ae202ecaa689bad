"""The user's document: its bytes, its format, and the options for reading it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from envelope import options
from envelope.cli.common.detect import detect
from envelope.cli.common.files import check_size, read_input
from envelope.cli.common.report import title_of
from envelope.formats import FORMATS, ResultType, get_format
from envelope.formats.detection import candidates
from envelope.hints import Hint

if TYPE_CHECKING:
    from collections.abc import Callable

    from envelope.limits import Limits
    from envelope.options import Dialect, ReadOptions, Values

__all__ = [
    "DIALECTS",
    "NAMES",
    "check_dialect",
    "dialect_of",
    "dialect_option",
    "limits_option",
    "load_source",
    "read_source",
    "reading_of",
    "source_option",
    "values_option",
]

NAMES = [str(name) for name in FORMATS]
DIALECTS = click.Choice(options.DIALECTS)


def source_option(flag: str, name: str, file: str) -> Callable[[Any], Any]:
    """The option for the format of the argument *file*."""
    return click.option(
        flag,
        name,
        type=click.Choice(["auto", *NAMES]),
        default="auto",
        show_default=True,
        help=f"Format of {file}; auto looks at its name, then at how it begins.",
    )


dialect_option = click.option(
    "--from-dialect",
    type=DIALECTS,
    show_default="typed; file for a PHP file, session for a session",
    help="Dialect of what is read.",
)
values_option = click.option(
    "--values",
    type=click.Choice(options.VALUES),
    default="portable",
    show_default=True,
    help="php also reads objects, enums and bytes, as data.",
)
limits_option = click.option("--no-limits", is_flag=True, help="Accept documents of any size, depth and item count.")


def read_source(
    file: str, format: str, limits: Limits, *, flag: str = "--from", may_wait: bool = False
) -> tuple[bytes, str]:
    """The bytes of *file* (`read_input`) and their format, detected if *format* is ``"auto"``.

    If it cannot be detected, the usage error names the option *flag*.
    """
    data = read_input(file, limits.max_bytes, may_wait=may_wait)
    found = detect(file, data, limits) if format == "auto" else format
    if found is None:
        raise click.UsageError(f"cannot tell the format of {title_of(file)}: give it with {flag}")
    return data, found


def load_source(data: bytes, format: str, options: ReadOptions) -> Any:
    """The value of the bytes that `read_source` returned; `DecodeError` if they cannot be read."""
    check_size(data, format, options.limits.max_bytes, hint=Hint("raise-limit", "max_bytes"))
    return get_format(format).loads(data, options)


def reading_of(format: str, values: Values, dialect: Dialect | None, limits: Limits, data: bytes = b"") -> ReadOptions:
    """The options for reading *format*; a usage error if it has no such dialect. None is the dialect of *data*."""
    dialect = dialect or dialect_of(format, data)
    check_dialect("--from-dialect", format, dialect)
    return get_format(format).reading(values, dialect, limits)


def dialect_of(format: str, data: bytes) -> Dialect:
    """The dialect of a document that nobody names: a PHP file and a session are known by how they begin."""
    if format not in (ResultType.VAR_EXPORT, ResultType.SERIALIZE):
        return "typed"
    return next((dialect for found, dialect in candidates(data) if found == format), "typed")


def check_dialect(option: str, format: str, dialect: str) -> None:
    """Raise a usage error if *format* has no such dialect."""
    dialects = get_format(format).dialects
    if dialect not in dialects:
        raise click.UsageError(f"{option} {dialect}: {format} has only {' and '.join(dialects)}")
