"""What to try on a demo: lines for a shell that work as they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from envelope.formats import ResultType

if TYPE_CHECKING:
    from envelope.gateway.demo.setting_up import Demo

__all__ = ["examples"]

_METHOD: Final = "v1/completions"
_ARGS: Final = '{"prompt":"hello"}'
_JSON: Final = "-H 'Content-Type: application/json'"
_CHINESE: Final = '{"prompt":"地球"}'
_FAILING: Final = '{"prompt":"hello","model":"fault-503"}'


def examples(demo: Demo, address: str) -> dict[str, list[str]]:
    """Lines for a shell, by what they show. *address* is the gateway's, without a path."""
    url = f"{address}/openai/custom/?" + urlencode({"key": demo.key, "secret": demo.secret})
    call, failing = (
        f"{url}&" + urlencode({"method": _METHOD, "_o_args": args}, safe="/") for args in (_CHINESE, _FAILING)
    )
    python = (
        "from envelope.client import GatewayClient; "
        f'client = GatewayClient(["{address}"], key="{demo.key}", secret="{demo.secret}"); '
        f'print(client.call("{_METHOD}", {{"prompt": "hello"}}).response)'
    )
    api_key = f"{demo.key}.{demo.secret}"
    return {
        "A call, answered in each of the five formats:": [f"curl '{call}&result_type={name}'" for name in ResultType],
        "The same as JSON, and as a form:": [
            f"""curl '{url}' {_JSON} -d '{{"method":"{_METHOD}","_o_args":{_ARGS}}}'""",
            f"curl '{url}' -d 'method={_METHOD}' --data-urlencode '_o_args={_ARGS}'",
        ],
        "From PHP:": [f"php -r 'print_r(unserialize(file_get_contents(\"{call}&result_type=serialize\")));'"],
        "From Python (pip install 'envelope-engine[client]'):": [f"python -c '{python}'"],
        f"From OpenAI's clients (base_url {address}/v1, api_key {api_key}):": [
            f"curl '{address}/v1/completions' -H 'Authorization: Bearer {api_key}' {_JSON} -d '{_ARGS}'"
        ],
        "A failure of the upstream (4002), which nobody pays for:": [f"curl '{failing}'"],
        "In another terminal, in this folder:": [
            "envelope gateway calls",
            "envelope gateway account list",
            "envelope gateway audit",
        ],
        f"In a browser (the console asks for the admin token, {demo.admin_token}):": [
            f"{address}/playground",
            f"{address}/console",
        ],
    }
