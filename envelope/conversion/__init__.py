"""From format to format: one document, and many of one kind.

`Conversion`           many documents by the same options; each is `Converted`, or a `Fault` in a `Report`
`convert_and_compare`  one document, and each place where something was lost
`project`              what json and xml show of PHP's objects
"""

from typing import TYPE_CHECKING

from envelope.lazy import door

if TYPE_CHECKING:
    from envelope.conversion.attempts import Report as Report
    from envelope.conversion.documents import Conversion as Conversion
    from envelope.conversion.documents import Converted as Converted
    from envelope.conversion.documents import Fault as Fault
    from envelope.conversion.kernel import convert_and_compare as convert_and_compare
    from envelope.conversion.projection import project as project
else:
    __getattr__, __dir__, __all__ = door(
        __name__,
        {
            "attempts": "Report",
            "documents": "Conversion Converted Fault",
            "kernel": "convert_and_compare",
            "projection": "project",
        },
    )
