"""`Asked`: a request to the demo, read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from envelope.calls.http import Upload

__all__ = ["Asked", "DemoError", "digest_of_file"]


class DemoError(Exception):
    """A request that the demo refuses, as OpenAI would."""

    def __init__(
        self, status: int, message: str, *, param: str | None = None, code: str | None = None,
        type: str = "invalid_request_error",
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.status = status
        self.error = {"error": {"message": message, "type": type, "param": param, "code": code}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request: its verb, ``method`` (the path), arguments from the query and the body, files, and our own address."""

    verb: str
    method: str
    args: Mapping[str, Any]
    files: tuple[Upload, ...] = field(default=())
    address: str = ""

    @property
    def model(self) -> str:
        """The model; ``""`` if none is asked for."""
        model = self.args.get("model", "")
        return model if isinstance(model, str) else ""

    def needed(self, name: str) -> Any:
        """This argument; `DemoError` without it."""
        value = self.args.get(name)
        if value is None:
            raise DemoError(400, f"you must provide a {name} parameter", param=name)
        return value

    def count(self, name: str, default: int, most: int) -> int:
        """This argument as a number from 1 to *most*; forms have it as text."""
        value = self.args.get(name)
        if value is None:
            return default
        if isinstance(value, str) and value.isdecimal() and len(value) < 10:
            value = int(value)
        if type(value) is not int or not 1 <= value <= most:
            raise DemoError(400, f"{name} is a number from 1 to {most}", param=name)
        return value

    def file(self, name: str) -> Upload:
        """The file of this field; `DemoError` without it."""
        for upload in self.files:
            if upload.name == name:
                return upload
        raise DemoError(400, f"you must provide a {name} file", param=name)

    def digest(self) -> bytes:
        """The same for the same request."""
        parts = hashlib.sha256(orjson.dumps([self.method, self.args], option=orjson.OPT_SORT_KEYS))
        for upload in self.files:
            parts.update(digest_of_file(upload))
        return parts.digest()


def digest_of_file(upload: Upload) -> bytes:
    """The SHA-256 of the file's bytes."""
    upload.file.seek(0)
    digest = hashlib.sha256()
    while chunk := upload.file.read(1024 * 1024):
        digest.update(chunk)
    return digest.digest()
