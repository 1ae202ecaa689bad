"""docs/how-to/openai.md: its examples print what stands below them, its table of errors is that of the code, and of the classes that the package raises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from envelope.gateway.openai.errors import ERRORS, row_of, status_of_error
from envelope.registry import REGISTRY
from tests.documents import text_of
from tests.gateway.served import SECRET, served
from tests.test_tutorials import check_printed

openai = pytest.importorskip("openai")

TEXT = text_of("openai.md")
ROW = re.compile(r"^\| (\d{4}) \| (\d+).*? \| `(\w+)` \| `(\w+)` \| `(\w+)` \|", re.MULTILINE)
CLASSES = {400: "BadRequestError", 401: "AuthenticationError", 403: "PermissionDeniedError", 404: "NotFoundError"}


def test_the_examples(tmp_path: Path) -> None:
    with served(tmp_path) as world:
        text = TEXT.replace("http://127.0.0.1:8080", world.address).replace("API_KEY", f"demo.{SECRET}")
        check_printed(text, "openai")


def test_the_table_of_errors() -> None:
    rows = ROW.findall(TEXT)
    assert {code: (int(status), type, word) for code, status, type, word, _ in rows} == ERRORS
    for _, status, _, _, raised in rows:
        assert raised == CLASSES.get(int(status), "RateLimitError" if status == "429" else "InternalServerError")
        assert issubclass(getattr(openai, raised), openai.APIStatusError)


def test_every_failure_has_a_row() -> None:
    assert {*ERRORS} == {row.code for row in REGISTRY if not row.is_success}
    assert row_of("9999", 418) == (418, "invalid_request_error", "9999")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"code": 503}, 503), ({"type": "tokens"}, 429), ({"type": "server_error", "code": None}, 500),
        ({"code": "overloaded_error"}, 500), ("timeout", 500), ({"code": "content_filter"}, 400), ([1], 400),
    ],
)  # fmt: skip
def test_an_error_under_200(error: object, status: int) -> None:
    assert status_of_error(error) == status
