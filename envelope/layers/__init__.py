"""Layers: what stands around a document, taken off on request, with a report of every step. The decoders never do this.

`unwrap` is also `envelope.unwrap`. Where each layer is seen, and what is never guessed, is in docs/how-to/unwrap.md.
"""

from typing import TYPE_CHECKING

from envelope.lazy import door

if TYPE_CHECKING:
    from envelope.layers.report import LAYERS as LAYERS
    from envelope.layers.report import Layer as Layer
    from envelope.layers.report import LayerName as LayerName
    from envelope.layers.report import Unwrapped as Unwrapped
    from envelope.layers.search import unwrap as unwrap
else:
    __getattr__, __dir__, __all__ = door(
        __name__, {"report": "LAYERS Layer LayerName Unwrapped", "search": "unwrap"}
    )  # fmt: skip
