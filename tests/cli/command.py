"""The command `envelope`, run in this process or in a separate one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("rich")
CliRunner = pytest.importorskip("click.testing").CliRunner

# After importorskip: without the extra cli it cannot be imported.
from envelope.cli.command import envelope as command  # noqa: E402

if TYPE_CHECKING:
    from click.testing import Result


def run(*arguments: str, data: bytes = b"") -> Result:
    """The command's outcome; what it raises reaches the test."""
    result: Result = CliRunner().invoke(command, arguments, input=data, prog_name="envelope")
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def process(*arguments: str, data: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The same in a separate process."""
    program = [sys.executable, "-m", "envelope", *arguments]
    return subprocess.run(program, input=data, capture_output=True, timeout=60, env={**os.environ, **environment})


MIB = 1024 * 1024

_MEASURED = """
import sys
from envelope.cli import main
try:
    main()
finally:
    sys.stderr.write(open("/proc/self/status").read())
"""


def peak(*arguments: str, **environment: str) -> int:
    """The most memory, in bytes, that the command had at once in a separate process; by Linux's /proc."""
    program = [sys.executable, "-c", _MEASURED, *arguments]
    ran = subprocess.run(program, capture_output=True, timeout=120, env={**os.environ, **environment})
    return int(re.findall(rb"VmHWM:\s+(\d+) kB", ran.stderr)[0]) * 1024
