"""When memory runs out: parsers say so as if the document were at fault."""

from __future__ import annotations

__all__ = ["is_out_of_memory"]


def is_out_of_memory(refusal: ValueError) -> bool:
    """Whether *refusal*, by orjson, is about memory and not about the document."""
    return str(refusal).startswith("Not enough memory")
