"""Repairs: broken documents made readable again, on request, with a report of every edit. The decoders never do this.

`repair` is also `envelope.repair`. What it undoes, and what it cannot know, is in docs/how-to/repair.md.
"""

from typing import TYPE_CHECKING

from envelope.lazy import door

if TYPE_CHECKING:
    from envelope.repairs.report import Choice as Choice
    from envelope.repairs.report import Edit as Edit
    from envelope.repairs.report import Missing as Missing
    from envelope.repairs.report import Repair as Repair
    from envelope.repairs.serialize import repair as repair
else:
    __getattr__, __dir__, __all__ = door(__name__, {"report": "Choice Edit Missing Repair", "serialize": "repair"})
