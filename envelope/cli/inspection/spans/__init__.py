"""Where each value of a document stands: a walk over its bytes for each format, told to a `Sink`.

The readers make values and forget where they stood; the walks do the opposite, and only `inspect` pays for them. They
are no judges: what they are given is a document that its reader took, or what stands before the first byte that it
refused. So they look at no more than it takes to find the ends, and stop where the bytes end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from envelope.cli.inspection.spans.json import walk_json
from envelope.cli.inspection.spans.serialize import walk_serialize
from envelope.cli.inspection.spans.var_export import walk_var_export
from envelope.cli.inspection.spans.xml import walk_xml
from envelope.formats import ResultType

if TYPE_CHECKING:
    from envelope.cli.inspection.spans.sink import Sink

__all__ = ["walk"]


def walk(data: bytes, format: str, sink: Sink, *, php: bool = False, plain: bool = False) -> None:
    """Tell *sink* of every value in *data*, in document order: a document in *format*, or the beginning of one.

    *php* is the value domain ``"php"``, *plain* the plain dialect of xml.
    """
    if format == ResultType.SERIALIZE:
        walk_serialize(data, sink, php=php)
    elif format == ResultType.VAR_EXPORT:
        walk_var_export(data, sink, php=php)
    elif format == ResultType.XML:
        walk_xml(data, sink, typed=not plain)
    else:
        walk_json(data, sink)
