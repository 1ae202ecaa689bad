"""Lines that make a call and read its answer, in four languages. They have places for key and secret."""

from __future__ import annotations

import json
import shlex
from typing import Final
from urllib.parse import urlencode

from envelope.formats import ResultType

__all__ = ["LANGUAGES", "snippets"]

LANGUAGES: Final = ("curl", "PHP", "Python", "JavaScript")

_PHP: Final = {
    ResultType.JSON: "json_decode($body, true)",
    ResultType.JSONU: "json_decode($body, true)",
    ResultType.XML: "simplexml_load_string($body)",
    ResultType.SERIALIZE: "unserialize($body, ['allowed_classes' => false])",
    ResultType.VAR_EXPORT: "eval('return ' . $body . ';')",
}
_JAVASCRIPT: Final = {
    ResultType.JSON: "await answer.json()",
    ResultType.JSONU: "await answer.json()",
    ResultType.XML: 'new DOMParser().parseFromString(await answer.text(), "text/xml")',
}
_NO_READER: Final = "await answer.text() // JavaScript reads json and xml: ask for those"
_METHOD: Final = "v1/completions"
_ARGS: Final = '{"prompt":"hello"}'


def snippets(
    format: ResultType, origin: str, api: str, method: str = _METHOD, args: str = _ARGS
) -> list[tuple[str, str]]:
    """For each of `LANGUAGES`, the lines of a call whose answer is in *format*."""
    address = f"{origin}/openai/{api}/"
    query = urlencode({"key": "KEY", "method": method, "result_type": format}, safe="/")
    url = f"{address}?{query}"
    form = shlex.quote(f"_o_args={args}")
    lines = {
        "curl": f"curl {shlex.quote(url)} \\\n  -d secret=SECRET \\\n  --data-urlencode {form}",
        "PHP": (
            f"$form = http_build_query(['secret' => 'SECRET', '_o_args' => {_php(args)}]);\n"
            "$body = file_get_contents(\n"
            f"    {_php(url)},\n"
            "    false,\n"
            "    stream_context_create(['http' => [\n"
            "        'method' => 'POST',\n"
            "        'header' => 'Content-Type: application/x-www-form-urlencoded',\n"
            "        'content' => $form,\n"
            "    ]])\n"
            ");\n"
            f"$answer = {_PHP[format]};"
        ),
        "Python": (
            "from envelope.client import GatewayClient\n\n"
            f'with GatewayClient([{_quoted(origin)}], key="KEY", secret="SECRET") as client:\n'
            f"    answer = client.call({_quoted(method)}, {_python(args)}, result_type={_quoted(format)})"
        ),
        "JavaScript": (
            f"const answer = await fetch({_quoted(url)}, {{\n"
            '  method: "POST",\n'
            f'  body: new URLSearchParams({{ secret: "SECRET", _o_args: {_quoted(args)} }}),\n'
            "});\n"
            f"const value = {_JAVASCRIPT.get(format, _NO_READER)};"
        ),
    }
    return [(name, lines[name]) for name in LANGUAGES]


def _python(args: str) -> str:
    """The arguments as Python writes them; as they stand if they are not JSON."""
    try:
        return repr(json.loads(args))
    except (ValueError, RecursionError):
        return repr(args)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _php(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
