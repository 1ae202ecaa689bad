"""A real PHP to ask, if there is one: one process, many questions."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self, cast

import orjson

from envelope.api import dumps, loads
from envelope.options import Maps
from envelope.values.php_types import same

__all__ = ["Php", "missing", "tagged"]

SERVER: Final = Path(__file__).with_name("php_server.php")
_NONE: Final = "no php on this machine"
OLDEST: Final = (8, 1)
REFUSED: Final = 0xFFFFFFFF
PATIENCE: Final = 10.0  # seconds that PHP has to exit


def missing(wanted: str = "") -> str:
    """Why no PHP can be asked here, or ``""`` if one can; its version must begin with *wanted* (``"8.2."``)."""
    program = shutil.which("php")
    if program is None:
        return _NONE
    # S603: here and below the program is PHP itself, and its arguments are our own.
    probe = subprocess.run([program, "-r", "echo PHP_VERSION;"], capture_output=True, text=True, check=False)  # noqa: S603
    version = probe.stdout[:10]
    try:
        is_new = tuple(map(int, version.split(".")[:2])) >= OLDEST
    except ValueError:
        return "php does not report its version"
    if not version.startswith(wanted):
        return f"php is {version}, not {wanted}"
    return "" if is_new else f"php is {version}; 8.1 is the oldest supported"


class Php:
    """A PHP process: ``php.ask(operation, questions)`` returns `bytes` for each question, or None if PHP refuses it.

    For a `tagged` value, the operations are ``array`` or ``object`` (as in `maps`) followed by ``serialize``,
    ``var_export``, ``json`` or ``jsonu``; for a document, ``json_decode``, ``unserialize``, ``unserialize inert`` (no
    class but stdClass), ``unserialize var_export`` and ``unserialize json``. Values read come back serialized.

    *operations* is a PHP file of your own that returns more: an array of functions of a string, by name. The classes
    it defines are known to ``unserialize``. PHP really *unserializes* documents: ask only about your own.
    """

    def __init__(self, operations: Path | None = None) -> None:
        program = shutil.which("php")
        if program is None:
            raise RuntimeError(_NONE)
        command = [program, "-d", "display_errors=0", "-d", "log_errors=0", str(SERVER)]
        if operations is not None:
            command.append(str(operations))
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        self._questions = cast("IO[bytes]", self._process.stdin)
        self._answers = cast("IO[bytes]", self._process.stdout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def ask(self, operation: str, questions: Sequence[bytes]) -> list[bytes | None]:
        """PHP's answers, in order; `RuntimeError` if PHP has exited, as it does at an unknown operation."""
        strings = [operation.encode(), *questions]
        frame = b"".join([struct.pack("<I", len(strings)), *(struct.pack("<I", len(s)) + s for s in strings)])
        try:
            self._questions.write(frame)
            self._questions.flush()
        except BrokenPipeError:
            raise RuntimeError("php ended") from None
        return [self._read_string() for _ in range(self._read_number())]

    def ask_one(self, operation: str, question: bytes) -> bytes | None:
        """PHP's answer to one question."""
        return self.ask(operation, [question])[0]

    def disagreements(self, values: Sequence[Any], format: str, *, maps: Maps = "array") -> Iterator[str]:
        """In words, where PHP and this library disagree on a portable value: how it is written, or read back.

        *format* is serialize, var_export, json or jsonu; the last two are written in `json_encode`'s dialect.
        """
        answers = self.ask(f"{maps} {format}", list(map(tagged, values)))
        for value, answer in zip(values, answers, strict=True):
            if fault := _disagreement(value, answer, format, maps):
                yield f"{format} maps={maps} {value!r}: {fault}"

    def close(self) -> None:
        """End the process, by force if it keeps running."""
        with suppress(BrokenPipeError):
            self._questions.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._answers.close()

    def _read(self, size: int) -> bytes:
        data = self._answers.read(size)
        if len(data) < size:
            raise RuntimeError("php ended")
        return data

    def _read_number(self) -> int:
        number: int = struct.unpack("<I", self._read(4))[0]
        return number

    def _read_string(self) -> bytes | None:
        size = self._read_number()
        return None if size == REFUSED else self._read(size)


def _disagreement(value: Any, answer: bytes | None, format: str, maps: Maps) -> str:
    is_json = format.startswith("json")
    ours = dumps(value, format, maps=maps, dialect="php" if is_json else "typed")
    if answer is None or ours != answer:
        return f"PHP wrote {answer!r}, this library {ours!r}"
    if is_json:
        return ""
    read = loads(answer, format)
    if maps == "object" and not same(read, value):
        return f"read back from {answer!r}, it is another value"
    if maps == "array" and dumps(read, format) != answer:
        return f"read from {answer!r} and written again, it differs"
    return ""


def tagged(value: Any) -> bytes:
    """A portable value as JSON that tells lists from maps, even empty ones, for the operations that write a value."""
    return orjson.dumps(_tag(value))


def _tag(value: Any) -> Any:
    if isinstance(value, dict):
        return ["m", [[key, _tag(item)] for key, item in value.items()]]
    if isinstance(value, list):
        return ["l", [_tag(item) for item in value]]
    return value
