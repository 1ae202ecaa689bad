"""`--update`: rewrite the bodies of a case from one of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from envelope.cli.common.files import write_output
from envelope.cli.common.report import printable
from envelope.cli.validation.body_diff import body_diff
from envelope.cli.validation.checker import FileFault, read_body, read_statement
from envelope.errors import EncodeError
from envelope.fixtures.bodies import body_name
from envelope.fixtures.cases import ABOUT, canonical_bodies
from envelope.fixtures.statements import read_case
from envelope.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from envelope.cli.validation.units import Unit

__all__ = ["update_case"]


def update_case(unit: Unit, source: str | None) -> Iterator[Text]:
    """Write the bodies of a portable case from the one in the format *source*, and yield what changed.

    If a file cannot be read, or the body is not valid, nothing is written; the checks that follow say why.
    """
    names = [body_name(format) for format in FORMATS if source in (None, format)]
    name = next((name for name in names if name in unit.bodies), None)
    if name is None:
        return
    try:
        case = read_statement(os.path.join(unit.path, ABOUT), read_case, "about")
        written = canonical_bodies(case, name, read_body(os.path.join(unit.path, name)))
    except FileFault:
        return
    except EncodeError as error:
        raise click.ClickException(f"cannot update {printable(unit.path)}: {printable(str(error))}") from None
    for name, body in written.items():
        path = os.path.join(unit.path, name)
        # A link's target does not belong to this case, and anything but a file may block.
        if os.path.islink(path) or (os.path.lexists(path) and not os.path.isfile(path)):
            continue
        before = _old_body(path)
        if before != body:
            write_output(path, body)
            yield body_diff(path, before, body)


def _old_body(path: str) -> bytes | None:
    try:
        return read_body(path)
    except FileFault:
        return None
