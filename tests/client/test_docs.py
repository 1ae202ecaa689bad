"""The examples of client.md and of the README: they print what the text beside them says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from envelope import Envelope
from tests.client.servers import Received, Reply, says, serving
from tests.documents import ROOT, page

BLOCK = re.compile(r"^```python\n(.*?)^```$(?:\n\n^```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)


def examples(name: str) -> list[tuple[str, str]]:
    """The examples of a document that are about the client, each with what it prints."""
    blocks: list[tuple[str, str]] = BLOCK.findall(
        (ROOT / name if name == "README.md" else page(name)).read_text(encoding="utf-8")
    )
    return [block for block in blocks if name != "README.md" or "GatewayClient" in block[0]]


def reply(received: Received) -> Reply:
    request = received.request
    if request.method == "v1/images/generations":
        return says(Envelope.fail("4016"))(received)
    if request.method == "v1/files":
        is_first = "pageToken" not in request.params
        return says(Envelope.ok({"items": ["a", "b"], "pageToken": "2"} if is_first else {"items": ["c"]}))(received)
    return says(Envelope.ok({"id": "cmpl-1", "choices": [{"text": "Hello"}]}))(received)


@pytest.mark.parametrize(("name", "count"), [("README.md", 1), ("client.md", 9)])
def test_the_examples_print_what_they_say(name: str, count: int, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pydantic")
    found = examples(name)
    assert len(found) == count
    names: dict[str, Any] = {"__name__": __name__}
    with serving(reply) as server:
        for source, output in found:
            example = re.sub(r"https://[ab]\.example\.com", server.url, source)
            exec(compile(example, name, "exec", dont_inherit=True), names)
            assert capsys.readouterr().out == output


@pytest.mark.parametrize("name", ["README.md", "client.md"])
def test_the_first_example_is_short(name: str) -> None:
    assert len(examples(name)[0][0].strip().splitlines()) <= 5
