"""Hypothesis strategies for calls, and for the parameters that a query carries."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from envelope import Lang, ResultType
from envelope.calls.parameters import PARAMETERS
from envelope.calls.request import ApiRequest
from envelope.testing.strategies import texts, values
from envelope.values.php_rules import is_ambiguous

# A query carries text and non-empty containers. A nested dict must not have the keys of a list (it is read as one), or
# a key that is empty or one white space (`[]`) or has a `]`; the outermost must not have names that would be mangled.
# NUL ends any name.
_NESTED_KEYS = texts().filter(
    lambda key: (
        not set(key) & set("]\0")
        and key not in {"", *" \t\n\r\v\f"}
        and not key.startswith(("__Host-", "__Secure-"))  # PHP drops these, so as not to make a cookie prefix
    )
)
_NAMES = texts().filter(lambda name: name != "" and not set(name) & set(" .[\0"))


def carried() -> st.SearchStrategy[dict[str, Any]]:
    """Parameters that a query string carries unchanged."""

    def containers(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        maps = st.dictionaries(_NESTED_KEYS, children, min_size=1, max_size=4)
        return st.lists(children, min_size=1, max_size=4) | maps.filter(lambda items: not is_ambiguous(items))

    return st.dictionaries(_NAMES, st.recursive(texts(), containers, max_leaves=15), max_size=4)


_COMMON = {name for row in PARAMETERS for name in (row.name, row.alias)}


@st.composite
def requests(draw: st.DrawFn, *, params: st.SearchStrategy[dict[str, Any]] | None = None) -> ApiRequest:
    """Calls that every carrier carries unchanged; *params* are an API's own parameters, text only by default."""
    options = draw(carried() if params is None else params)
    args = draw(st.none() | st.dictionaries(texts(), values(max_leaves=5), max_size=3))
    return ApiRequest(
        key=draw(texts().filter(bool)),
        secret=draw(texts().filter(bool)),
        api_name=draw(st.sampled_from(["custom", "item_get", "item_search-2"])),
        api_type=draw(st.sampled_from(["", "openai", "taobao"])),
        method=draw(st.sampled_from(["", "v1/models", "images/get", "my own"])),
        args=args,
        params={name: value for name, value in options.items() if name not in _COMMON},
        cache=draw(st.booleans()),
        result_type=draw(st.sampled_from(ResultType)),
        lang=draw(st.sampled_from(Lang)),
        version=draw(st.sampled_from(["", "1", "2.0"])),
        dateline=draw(st.sampled_from(["", "2023-03-05 10:03:24"])),
        sign=draw(st.sampled_from(["", "0" * 32])),
    )
