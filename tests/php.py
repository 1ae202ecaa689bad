"""A real PHP to ask: one process, many questions."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

SERVER = Path(__file__).with_name("php_server.php")
REFUSED = 0xFFFFFFFF


def missing() -> str:
    """Why PHP cannot be asked here; empty where it can."""
    if shutil.which("php") is None:
        return "no php on this machine"
    probe = subprocess.run(
        ["php", "-r", "echo PHP_VERSION, function_exists('simplexml_load_string');"],
        capture_output=True,
        text=True,
        check=False,
    )
    if not probe.stdout.startswith("8.2."):
        return f"php is {probe.stdout[:10]}, not 8.2"
    return "" if probe.stdout.endswith("1") else "php has no xml extension"


class Php:
    """``php.ask(operation, questions)`` answers one `bytes` for each question, None where PHP refuses it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["php", "-d", "display_errors=0", "-d", "log_errors=0", str(SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, operation: str, questions: Sequence[bytes]) -> list[bytes | None]:
        strings = [operation.encode(), *questions]
        frame = b"".join([struct.pack("<I", len(strings)), *(struct.pack("<I", len(s)) + s for s in strings)])
        assert self.process.stdin is not None
        self.process.stdin.write(frame)
        self.process.stdin.flush()
        return [self._read_string() for _ in range(self._read_number())]

    def ask_one(self, operation: str, question: bytes) -> bytes | None:
        return self.ask(operation, [question])[0]

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()

    def _read(self, size: int) -> bytes:
        assert self.process.stdout is not None
        data = self.process.stdout.read(size)
        if len(data) < size:
            raise RuntimeError("php ended")
        return data

    def _read_number(self) -> int:
        number: int = struct.unpack("<I", self._read(4))[0]
        return number

    def _read_string(self) -> bytes | None:
        size = self._read_number()
        return None if size == REFUSED else self._read(size)


def tagged(value: Any) -> bytes:
    """A portable value as the JSON that the server's `build` takes: no kind of container is left to guess."""
    return orjson.dumps(_tag(value))


def _tag(value: Any) -> Any:
    if isinstance(value, dict):
        return ["m", [[key, _tag(item)] for key, item in value.items()]]
    if isinstance(value, list):
        return ["l", [_tag(item) for item in value]]
    return value
