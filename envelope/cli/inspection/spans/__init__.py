"""Where each value of a document is: for each format, a walk over its bytes that reports to a `Sink`.

The readers build values and forget where they were; the walks do the opposite, and only `inspect` pays for them. The
walks do not validate: they get a document that its reader accepted, or the bytes before the first one that it refused.
So they only look at what they need to find the ends, and stop where the bytes end.
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
    """Report every value in *data* to *sink*, in document order. *data* is a document in *format*, or its beginning.

    *php* selects the value domain ``"php"``, *plain* the plain dialect of xml.
    """
    if format == ResultType.SERIALIZE:
        walk_serialize(data, sink, php=php)
    elif format == ResultType.VAR_EXPORT:
        walk_var_export(data, sink, php=php)
    elif format == ResultType.XML:
        walk_xml(data, sink, typed=not plain)
    else:
        walk_json(data, sink)
