"""One upstream's settings: what is wrong with them is told by the field's name, and never by its value."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FilePath, SecretStr, TypeAdapter
from pydantic import ValidationError as Invalid

from envelope.calls.addresses import checked_address
from envelope.errors import ValidationError
from envelope.path import format_path

__all__ = ["UpstreamSettings", "read_upstreams"]

_KEY: Final = frozenset(map(chr, range(0x21, 0x7F)))  # what a header carries unchanged


def _checked_key(key: SecretStr) -> SecretStr:
    text = key.get_secret_value()
    if not text or not _KEY.issuperset(text):
        raise ValueError("a key is ASCII without spaces, and not empty")
    return key


def _checked_ca_file(path: Path) -> Path:
    try:
        ssl.create_default_context(cafile=path)
    except OSError:
        raise ValueError("no certificates in PEM") from None
    return path


def _checked_certificate(path: Path) -> Path:
    try:
        ssl.create_default_context().load_cert_chain(path, password="")
    except OSError:
        raise ValueError("no certificate with its key in PEM, or one with a password") from None
    return path


Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


class UpstreamSettings(BaseModel):
    """One upstream: where it is, how it is chosen, and how long it may take. Times are seconds.

    ``name``         in records and logs, which never have the address.
    ``address``      ``https://host`` and perhaps a path, to which a method is added.
    ``key``          is sent as ``Authorization: Bearer``; without one, nothing is.
    ``order``        those of the lowest order are tried first; among them, ``weight`` is each one's share of the calls.
    ``connect``      for the connection, with the look-up of the name and TLS.
    ``first_byte``   until the first byte of the answer's body, since the last of the request was sent. A model that
                     does not stream is silent until it has said all; then the next upstream is asked.
    ``total``        for one attempt; a call's own deadline holds besides, but not for a stream that has begun.
    ``stall``        of silence between two events of a stream, which ends it.
    ``rest``         after a failure, it is tried only after all others for so long.
    ``ca_file``      PEM certificates to trust instead of the system's; ``certificate`` our own, with its key.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    address: Annotated[str, AfterValidator(checked_address)] = Field(repr=False)
    key: Annotated[SecretStr, AfterValidator(_checked_key)] | None = Field(default=None, repr=False)
    order: int = Field(default=0, ge=0, le=1000)
    weight: int = Field(default=1, ge=1, le=1_000_000)
    connect: Seconds = 5.0
    first_byte: Seconds = 60.0
    total: Seconds = 300.0
    stall: Seconds = 60.0
    rest: float = Field(default=30.0, ge=0, le=86_400, allow_inf_nan=False)
    ca_file: Annotated[FilePath, AfterValidator(_checked_ca_file)] | None = None
    certificate: Annotated[FilePath, AfterValidator(_checked_certificate)] | None = None


_ALL: Final = TypeAdapter(tuple[UpstreamSettings, ...])


def read_upstreams(rows: Sequence[Any], path: str = "$.upstreams") -> tuple[UpstreamSettings, ...]:
    """The settings in *rows*, maps as a configuration file has them.

    `ValidationError` with the path of the first field that is wrong, below *path*; its text has no value. There is at
    least one upstream, and each has its own name.
    """
    fault: tuple[str, list[int | str]] | None = None
    try:
        upstreams = _ALL.validate_python(rows)
    except Invalid as error:  # which holds the key
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        fault = first["msg"], list(first["loc"])
    if fault is not None:
        raise ValidationError(fault[0], path=path + format_path(fault[1]).removeprefix("$"))
    if not upstreams:
        raise ValidationError("there is no upstream", path=path)
    names = [upstream.name for upstream in upstreams]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ValidationError("another upstream has this name", path=f"{path}[{index}].name")
    return upstreams
