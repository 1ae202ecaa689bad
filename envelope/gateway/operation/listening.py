"""The port: how it is listened on, and how no further caller is let in without turning away one who is in already."""

from __future__ import annotations

import ctypes
import select
import socket
import struct
from contextlib import suppress
from typing import Final

__all__ = ["has_callers", "let_nobody_in", "listen"]

_BACKLOG: Final = 2048
_ATTACH_FILTER: Final = 26  # SO_ATTACH_FILTER of Linux
_DROP_ALL: Final = struct.pack("HBBI", 0x06, 0, 0, 0)  # "return 0": no byte of any packet is let through


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; 0 is any free port. `OSError` if it cannot be had."""
    # asyncio turns Nagle's algorithm off only where a socket says that it is TCP.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except UnicodeError:
        listener.close()
        raise OSError(None, "not a host") from None
    except OSError:
        listener.close()
        raise
    return listener


def let_nobody_in(listener: socket.socket) -> None:
    """Let no caller connect any more, in any process that has this socket; those who wait to be accepted still are.

    A socket that is closed resets whoever waits. So on Linux it is first made deaf: whoever connects meanwhile tries
    again a second later, when it is closed. Elsewhere, this does nothing.
    """
    program = ctypes.create_string_buffer(_DROP_ALL, len(_DROP_ALL))
    with suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program)))


def has_callers(listener: socket.socket) -> bool:
    """Whether somebody waits to be accepted."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return bool(poll.poll(0))
