"""How each layer is put around a document, in the ways in which it is found."""

from __future__ import annotations

import base64
import gzip
import re
import zlib
from collections.abc import Callable
from typing import Final

from envelope.layers import LayerName

__all__ = ["NOTICE", "WRAPS", "addslashes", "as_html"]

NOTICE: Final = b"<br />\n<b>Notice</b>:  Undefined index: id in <b>/srv/a.php</b> on line <b>12</b><br />\n"
_LOG: Final = b"PHP Warning:  Undefined variable $a in /srv/a.php on line 3\n"

Wrap = Callable[[bytes], bytes]


def as_html(body: bytes) -> bytes:
    return NOTICE + body


def addslashes(body: bytes) -> bytes:
    return re.sub(rb"[\\'\"]", rb"\\\g<0>", body).replace(b"\0", b"\\0")


def sql(body: bytes) -> bytes:
    escaped = addslashes(body)
    for byte, letter in ((b"\n", b"n"), (b"\r", b"r"), (b"\x1a", b"Z")):
        escaped = escaped.replace(byte, b"\\" + letter)
    return escaped


def in_lines(body: bytes) -> bytes:
    return b"\n".join(
        base64.b64encode(body)[at : at + 76] for at in range(0, len(body) * 2, 76) if at < len(base64.b64encode(body))
    )


def raw_deflate(body: bytes) -> bytes:
    return zlib.compress(body)[2:-4]


WRAPS: Final[dict[LayerName, tuple[Wrap, ...]]] = {
    "bom": (lambda body: b"\xef\xbb\xbf" + body,),
    "line-end": (lambda body: body + b"\n", lambda body: body + b"\r\n"),
    "space": (lambda body: b"\n\n" + body, lambda body: body + b"\n\n", lambda body: b"\r\n " + body + b"\r\n"),
    "notice": (
        as_html,
        lambda body: NOTICE * 3 + body,
        lambda body: b"\n" + NOTICE + body,
        lambda body: _LOG + body,
        lambda body: b"\n" + _LOG[4:] + body,
        lambda body: body + b"<!-- cached -->\n",
        lambda body: body + b"\n" + NOTICE,
        lambda body: NOTICE + body + b"<!-- a --><!-- b -->",
    ),
    "guard": tuple(
        lambda body, guard=guard: guard + body  # type: ignore[misc]
        for guard in (
            b"<?php exit;?>", b"<?php exit; ?>\r\n", b"<?php die; ?>", b"<?php exit('no'); ?>", b'<?php die("Access Denied"); ?>#x#',
            b"<?php if(!defined('X')) exit; ?>", b"<?php defined('X') or die('no');?>\n", b"<?php if (!defined('X')) { return; } ?>\n",
            b"<?php\n//000000000000\n exit();?>\n", b"<?exit?>",
        )
    ),
    "expiry": (lambda body: b"1700000000\n" + body, lambda body: b"9999999999" + body, lambda body: b"1700000000\r\n" + body),
    "lines": (
        lambda body: b"https://media.example.com/a.mp3\n20540288\naudio/mpeg\n" + body,
        lambda body: b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + body,
    ),
    "jsonp": (
        lambda body: b"cb(" + body + b")", lambda body: b"/**/ jQuery123_4.cb[0](" + body + b");", lambda body: b")]}',\n" + body,
        lambda body: b"while(1);" + body, lambda body: b"for (;;);" + body, lambda body: b"cb( " + body + b" );\n",
    ),
    "gzip": (gzip.compress, lambda body: gzip.compress(body[:3]) + gzip.compress(body[3:])),
    "zlib": (
        zlib.compress, lambda body: b"gz:" + zlib.compress(body, 1), lambda body: len(body).to_bytes(4, "little") + zlib.compress(body),
        lambda body: zlib.compress(body) + b"\n",
    ),
    "deflate": (raw_deflate,),
    "base64": (
        base64.b64encode, base64.urlsafe_b64encode, lambda body: base64.b64encode(body).rstrip(b"="), in_lines,
        lambda body: base64.b64encode(body).replace(b"=", b"%3D"), lambda body: base64.b64encode(body) + b"\n",
    ),
    "hex": (
        lambda body: b"\\x" + body.hex().encode(), lambda body: b"x" + body.hex().encode(), lambda body: b"0x" + body.hex().upper().encode(),
        lambda body: body.hex().encode(), lambda body: b"x'" + body.hex().encode() + b"'", lambda body: b"\\\\x" + body.hex().encode(),
        lambda body: body.hex("@").encode().replace(b"@", b"\\x").join((b"\\x", b"")),
    ),
    "slashes": (addslashes, sql, lambda body: b"'" + sql(body) + b"'", lambda body: b'"' + addslashes(body) + b'"'),
    "doubled-quotes": (lambda body: body.replace(b'"', b'""'), lambda body: b'"' + body.replace(b'"', b'""') + b'"'),
}  # fmt: skip
"""By name: functions that put the layer around a document."""
