"""`envelope call`: one call to a gateway, its verdict and its payload."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, get_args

import click
import orjson
from rich.text import Text

from envelope.cli.common.files import write_output
from envelope.cli.common.options import lang_option
from envelope.cli.common.report import printable, show
from envelope.cli.common.source_options import NAMES
from envelope.client.errors import CallFailed
from envelope.client.settings import SignWith
from envelope.client.sync import GatewayClient
from envelope.errors import EncodeError

if TYPE_CHECKING:
    from envelope.client.answer import Answer
    from envelope.registry.languages import Lang

__all__ = ["call"]

_EXAMPLES = """\b
Examples:
  envelope call https://api.example.com v1/models --key KEY
  envelope call https://api.example.com v1/completions --key KEY --arg prompt=地球 --arg max_tokens=200
  envelope call https://api.example.com v1/models --key KEY --result-type serialize --save models.serialize
"""

_SECRET = "ENVELOPE_SECRET"  # the variable's name


class _Pair(click.ParamType[tuple[str, str]]):
    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        name, equals, text = value.partition("=")
        if not name or not equals:
            self.fail("not like name=value", param, ctx)
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fail("not UTF-8", param, ctx)
        return name, text


@click.command(epilog=_EXAMPLES)
@click.argument("url")
@click.argument("method", default="")
@click.option("--key", required=True, help="The caller's key.")
@click.option(
    "--arg",
    "args",
    type=_Pair(),
    multiple=True,
    help="An argument of the upstream's (_o_args): JSON if it can be read as such, else a text. Repeatable.",
)
@click.option(
    "--param", "params", type=_Pair(), multiple=True, help="A parameter of the API's own, a text. Repeatable."
)
@click.option("--api-type", default="openai", show_default=True, help="First part of the API's path.")
@click.option("--api-name", default="custom", show_default=True, help="Second part.")
@click.option(
    "--result-type", type=click.Choice(NAMES), default="json", show_default=True, help="Format of the answer."
)
@lang_option("Language of the answer.")
@click.option(
    "--sign",
    type=click.Choice(get_args(SignWith)),
    default="md5",
    show_default=True,
    help="How the call proves the secret; secret sends it.",
)
@click.option("--timeout", type=click.FloatRange(min=0), default=60, show_default=True, help="Seconds for everything.")
@click.option("--save", metavar="FILE", help="Replace FILE with the answer's body, as it came.")
def call(
    *,
    url: str,
    method: str,
    key: str,
    args: tuple[tuple[str, str], ...],
    params: tuple[tuple[str, str], ...],
    api_type: str,
    api_name: str,
    result_type: Any,
    lang: Lang,
    sign: SignWith,
    timeout: float,
    save: str | None,
) -> None:
    """Call METHOD of the gateway at URL: its verdict goes to standard error, the payload to standard output, as JSON.

    The secret is the environment's ENVELOPE_SECRET, or it is asked for. The exit status is 0 if the call succeeded, 1
    if it did not, 2 if it could not be made. It needs the extra client (pip install
    'envelope-engine[client]').
    """
    if find_spec("httpx2") is None:  # before anybody is asked for a secret
        raise click.UsageError("envelope call needs httpx2: pip install 'envelope-engine[client]'")
    secret = os.environ.get(_SECRET) or click.prompt("Secret", hide_input=True, err=True)
    try:
        with GatewayClient([url], key=key, secret=secret, sign=sign, timeout=timeout, retries=0) as client:
            answer = client.call(
                method,
                {name: _json_or_text(text) for name, text in args} or None,
                params=dict(params),
                api_type=api_type,
                api_name=api_name,
                result_type=result_type,
                lang=lang,
                check=False,
            )
    except CallFailed as error:
        show(Text().append("failed: ", "bold red").append(printable(str(error))))
        raise click.exceptions.Exit(1) from None
    except (EncodeError, TypeError, ValueError) as error:
        raise click.UsageError(printable(str(error))) from None
    show(_verdict(answer))
    try:
        if save is not None:
            write_output(save, answer.body)
    finally:  # the call may have been paid for, and the disk be full
        write_output("-", _shown(answer.response))
    if not answer.verdict.ok:
        raise click.exceptions.Exit(1)


def _json_or_text(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _verdict(answer: Answer[Any]) -> Text:
    verdict = answer.verdict
    head = ("ok: ", "bold green") if verdict.ok else (f"failed ({verdict.layer}): ", "bold red")
    told = [
        f"{answer.error_code} {answer.error}".strip(),
        answer.reason,
        f"HTTP {answer.http_status}",
        str(verdict.billing),
        "may succeed later" if verdict.retryable else "",
        answer.request_id,
    ]
    return Text().append(*head).append(printable(" · ".join(part for part in told if part)))


def _shown(payload: Any) -> bytes:
    text = orjson.dumps(payload, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
    # What could act on the terminal is escaped; it is the same JSON.
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text).encode()
