"""All cases, by what people hold in their hands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tests.field import json_text, markup, objects, php_code, requests, serialized
from tests.field.case import Case

__all__ = ["GROUPS"]

GROUPS: Final[Mapping[str, Sequence[Case]]] = {
    "serialized documents": serialized.CASES,
    "PHP files": php_code.CASES,
    "XML of other hands": markup.CASES,
    "JSON": json_text.CASES,
    "objects and columns": objects.CASES,
    "queries, signatures, comparisons": requests.CASES,
}
