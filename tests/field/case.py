"""A case, and what cases ask of the library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import envelope
from envelope import DecodeError
from envelope.cli.common.hints import HINT_WORDS
from envelope.hints import in_words
from tests.cli.command import run

__all__ = ["Case", "Refused", "converted", "refused", "unwrapped"]


@dataclass(frozen=True, slots=True)
class Case:
    """``seen`` says what people hold, ``got`` asks the library, ``want`` is what is right."""

    seen: str
    got: Callable[[], Any]
    want: Any

    def fault(self) -> str:
        """What is wrong, in words; ``""`` if nothing is."""
        try:
            found = self.got()
        except Exception as error:  # whatever it is, the case failed
            return f"{type(error).__name__}: {error}"
        is_right = found == self.want if isinstance(self.want, Refused | tuple) else envelope.same(found, self.want)
        return "" if is_right else f"{found!r}, not {self.want!r}"


class Refused(NamedTuple):
    """What an error says: its place, and its hint as Python and the command word it."""

    offset: int
    hint: str
    in_command: str = ""
    path: str = "$"
    kind: str = "malformed"


def refused(data: bytes | str, format: str, **options: Any) -> Callable[[], Refused]:
    """A case's question: how *data* is refused."""

    def got() -> Refused:
        try:
            value = envelope.loads(data, format, **options)
        except DecodeError as error:
            said, command = in_words(error.hint), in_words(error.hint, HINT_WORDS)
            return Refused(error.offset, said, "" if command == said else command, error.path, error.kind)
        raise AssertionError(f"it was read: {value!r}")

    return got


def unwrapped(data: bytes | str, layers: Any = "auto") -> Callable[[], tuple[str, bytes, str]]:
    """A case's question: the names of the layers, what is left, and its format."""

    def got() -> tuple[str, bytes, str]:
        found = envelope.unwrap(data, layers)
        return " ".join(layer.name for layer in found.layers), found.data, str(found.format)

    return got


def converted(data: bytes, *options: str) -> Callable[[], bytes]:
    """A case's question: what ``envelope convert`` writes of its standard input."""

    def got() -> bytes:
        ran = run("convert", *options, data=data)
        if ran.exit_code:
            raise AssertionError(ran.stderr)
        return ran.stdout_bytes

    return got
