"""Many streams at once through a gateway in a process of its own: nothing is lost, and its memory stays flat."""

from __future__ import annotations

from pathlib import Path

from tests.gateway.streams import run


def test_nothing_is_lost(tmp_path: Path) -> None:
    heard = run(tmp_path, callers=20, events=2000)
    assert (heard.whole, heard.wrong, heard.breaches) == (20, [], [])
    assert [(row.code, row.completion_tokens) for row in heard.records] == [("0000", 2000)] * 20
    # What passed is about as much as this.
    assert heard.growth < 16 * 2**20
