"""What the writers of PHP's two formats share."""

from __future__ import annotations

from envelope.formats.common.writer import TextWriter
from envelope.options import WriteOptions

__all__ = ["PhpWriter"]


class PhpWriter(TextWriter):
    """A writer of PHP's formats; in PHP's domain, bytes that are not text go through the pieces as surrogates.

    Text has none left by then: each writer encodes non-ASCII text as it comes, which refuses them.
    """

    def __init__(self, options: WriteOptions) -> None:
        super().__init__(options.limits)
        self.php = options.php
        self.map_objects = options.map_objects
        if self.php:
            self.surrogates = "surrogateescape"
