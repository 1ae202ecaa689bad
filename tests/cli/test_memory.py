"""Memory of the command on documents in which everything is lost or differs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("rich")
pytest.importorskip("click")

# After importorskip: without the extra cli it cannot be imported.
from tests.cli.command import MIB, peak, run

pytestmark = [
    pytest.mark.memory,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at /proc"),
]

SIZE = 2 * MIB


def listed(path: Path, member: bytes) -> Path:
    path.write_bytes(b"[" + b",".join([member] * (SIZE // (len(member) + 1))) + b"]")
    return path


@pytest.mark.parametrize(
    "arguments",
    [["--to", "serialize"], ["--to", "serialize", "--strict"], ["--to", "var_export"]],
)
@pytest.mark.parametrize("member", [b"{}", b'{"a":{}}', b"1.0"])
def test_a_conversion_with_losses_in_every_place(tmp_path: Path, arguments: list[str], member: bytes) -> None:
    source = str(listed(tmp_path / "a.json", member))
    assert peak("convert", source, "-o", str(tmp_path / "b"), *arguments) < 40 * SIZE + 16 * MIB + peak("--version")


@pytest.mark.parametrize(("one", "other"), [(b"{}", b"[]"), (b'{"a":{}}', b'{"a":[]}'), (b"1", b"2"), (b"{}", b"{}")])
@pytest.mark.parametrize("pure", ["", "1"])
def test_a_comparison_with_differences_in_every_place(tmp_path: Path, one: bytes, other: bytes, pure: str) -> None:
    names = [str(listed(tmp_path / "a.json", one)), str(listed(tmp_path / "b.json", other))]
    assert peak("diff", *names, ENVELOPE_PURE=pure) < 80 * SIZE + 16 * MIB + peak("--version")


@pytest.mark.parametrize("command", [["inspect"], ["inspect", "--stats"], ["validate"], ["validate", "--canonical"]])
def test_a_document_of_many_values(tmp_path: Path, command: list[str]) -> None:
    source = str(listed(tmp_path / "a.json", b"{}"))
    assert peak(*command, source) < 40 * SIZE + 16 * MIB + peak("--version")


def test_the_number_of_losses_is_right(tmp_path: Path) -> None:
    source = listed(tmp_path / "a.json", b"{}")
    count = source.read_bytes().count(b"{}")
    result = run("convert", str(source), "--to", "serialize", "-o", str(tmp_path / "b"))
    assert result.stderr.count("\n") == 21
    assert result.stderr.splitlines()[19:] == [
        "warning: serialize: $[19]: {} → []",
        f"warning: serialize: and {count - 20} more",
    ]
