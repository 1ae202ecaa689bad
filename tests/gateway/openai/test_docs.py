"""docs/how-to/openai.md: its table of errors is that of the code, and of the classes that the package raises."""

from __future__ import annotations

import re

import pytest

from envelope.gateway.openai.errors import ERRORS, row_of, status_of_error
from envelope.registry import REGISTRY
from tests.documents import text_of

openai = pytest.importorskip("openai")

TEXT = text_of("openai.md")
ROW = re.compile(r"^\| (\d{4}) \| (\d+).*? \| `(\w+)` \| `(\w+)` \| `(\w+)` \|", re.MULTILINE)
CLASSES = {400: "BadRequestError", 401: "AuthenticationError", 403: "PermissionDeniedError", 404: "NotFoundError"}


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
