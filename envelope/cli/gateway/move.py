"""`envelope gateway move`: the books, carried to another store."""

from __future__ import annotations

import click

from envelope.cli.common.options import registry_option
from envelope.cli.common.report import printable
from envelope.cli.gateway.common import opened, registry_told, store_option
from envelope.cli.gateway.copying import progress, show_figures
from envelope.gateway.stores.addresses import shown_address
from envelope.registry.codes import CodeRegistry

__all__ = ["move"]

_EXAMPLES = """\b
Examples:
  envelope gateway move --to postgresql://gateway@db.internal/gateway
  envelope gateway move --store copy.db --to gateway.db
"""


@click.command(epilog=_EXAMPLES)
@click.option("--to", "target", metavar="ADDRESS", required=True, help="The new store, a file or postgresql://…")
@registry_option
@store_option
def move(*, target: str, registry: CodeRegistry, store: str) -> None:
    """Carry the books into another store, which is made if it is not there, and must be empty: all of them or nothing.

    Every gateway that uses them must have ended. Both are audited and compared. The old store stays as it is; what
    is to be changed in the settings is said at the end.
    """
    from envelope.gateway import moving  # here, because it needs the extra, and help does not

    codes = registry_told(registry)
    with opened(store) as source:
        moving.at_rest(source)  # before anything is made
        with opened(target, is_new=True) as new, progress("moved") as told:
            figures = moving.move(source, new, registry=codes, told=told)
    show_figures(figures)
    shown = printable(shown_address(target))
    click.echo(f'the books are in {shown}, and right\nnow in gateway.toml: store = "{shown}"')
