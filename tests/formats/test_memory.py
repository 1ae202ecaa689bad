"""When memory runs out, it is not the document's fault."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any
from xml.parsers import expat

import orjson
import pytest

from envelope import DecodeError, loads
from envelope.formats.json import read
from envelope.formats.xml import rules

# In a child, because a limit cannot be taken back. What an error needs is imported by then.
STARVED = """
import io, resource, sys
import envelope
from envelope.cli import main
format, is_command = sys.argv[1], sys.argv[2] == "command"
head, tail = {"xml": (b"<root>", b"</root>")}.get(format, (b'"', b'"'))
data = head + b"x" * (48 * 1024 * 1024) + tail
room = int(sys.argv[3])
sys.argv[1:] = ["convert", "--from", format, "--to", "jsonu"]
for body in (b"", head):
    try:
        envelope.loads(body, format)
    except envelope.DecodeError:
        pass
from envelope.cli import convert
class Input:
    buffer = io.BytesIO(data)
sys.stdin = Input
pages = int(open("/proc/self/statm").read().split()[0])
most = pages * resource.getpagesize() + room * 1024 * 1024
resource.setrlimit(resource.RLIMIT_AS, (most, most))
if is_command:
    main()
try:
    envelope.loads(data, format)
except MemoryError:
    sys.exit("memory")
"""


@pytest.mark.memory
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="RLIMIT_AS and /proc")
@pytest.mark.parametrize("fmt", ["json", "jsonu", "xml"])
@pytest.mark.parametrize("pure", ["", "1"])
@pytest.mark.parametrize(("caller", "said"), [("library", "memory\n"), ("command", "Error: not enough memory\n")])
def test_a_large_document_without_room_for_it(fmt: str, pure: str, caller: str, said: str) -> None:
    # orjson needs several times the document; with less room than for a copy of it, its own error would end the process.
    room = "20" if fmt == "xml" else "120"
    command = [sys.executable, "-c", STARVED, fmt, caller, room]
    ran = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "ENVELOPE_PURE": pure})
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", said)


@pytest.fixture
def starved(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(text: Any) -> None:
        raise orjson.JSONDecodeError("Not enough memory to allocate buffer for parsing", "", 0)

    monkeypatch.setattr(orjson, "loads", fail)  # compiled codecs leave it to their twins


def test_json(starved: None) -> None:
    with pytest.raises(MemoryError):
        read.loads(b'["a"]')
    with pytest.raises(DecodeError, match="malformed at byte 4"):  # the document is at fault all the same
        read.loads(b'["a"')


def test_xml(starved: None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Parser:
        ErrorByteIndex = 0

        def Parse(self, *_: object) -> None:  # noqa: N802  # expat's name
            error = expat.ExpatError("out of memory")
            error.code = expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]
            raise error

    with pytest.raises(MemoryError):
        rules.unescape("a")
    monkeypatch.setattr(expat, "ParserCreate", lambda encoding: Parser())
    with pytest.raises(MemoryError):
        loads(b"<value", "xml")
