"""`envelope openapi`: describe a gateway, for documentation and for tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import orjson

from envelope.calls.openapi import envelope_schema, openapi_document, request_schema
from envelope.cli.common.files import write_output
from envelope.cli.common.options import lang_option, registry_option

if TYPE_CHECKING:
    from envelope.registry.codes import CodeRegistry
    from envelope.registry.languages import Lang

__all__ = ["openapi"]

_EXAMPLES = """\b
Examples:
  envelope openapi > openapi.json
  envelope openapi --title Shop --server https://api.example.com --api-type taobao --api-name item_get --payload item
  envelope openapi --part envelope -o envelope.schema.json
"""


def _check_text(_: click.Context, param: click.Parameter, value: str) -> str:
    """Return *value* if JSON can hold it: arguments that are not UTF-8 contain surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise click.BadParameter("not UTF-8", param=param) from None
    return value


@click.command(epilog=_EXAMPLES)
@click.option(
    "--part",
    type=click.Choice(["document", "envelope", "request"]),
    default="document",
    show_default=True,
    help="The whole OpenAPI document, or the JSON Schema of the envelope or of a call's parameters.",
)
@click.option("--title", callback=_check_text, default="API gateway", show_default=True, help="Title of your API.")
@click.option(
    "--version",
    "api_version",
    callback=_check_text,
    default="1.0.0",
    show_default=True,
    help="Version of your API.",
)
@click.option(
    "--server",
    callback=_check_text,
    default="/",
    show_default=True,
    metavar="URL",
    help="Address before the API's path.",
)
@click.option("--api-type", default="openai", show_default=True, help="First part of the API's path.")
@click.option(
    "--api-name", "api_names", multiple=True, default=["custom"], show_default=True, help="Second part; repeatable."
)
@click.option("--payload", callback=_check_text, default="response", show_default=True, help="Name of the payload.")
@lang_option("Language of the failures shown.")
@registry_option
@click.option("-o", "--output", default="-", metavar="FILE", help="Replace FILE.")
def openapi(
    *,
    part: str,
    title: str,
    api_version: str,
    server: str,
    api_type: str,
    api_names: tuple[str, ...],
    payload: str,
    lang: Lang,
    registry: CodeRegistry,
    output: str,
) -> None:
    """Write an OpenAPI 3.1 document for a gateway: methods, formats, codes and languages, with examples of each."""
    if part == "envelope":
        made = envelope_schema(registry, payload)
    elif part == "request":
        made = request_schema()
    else:
        try:
            made = openapi_document(
                title=title,
                version=api_version,
                server=server,
                api_type=api_type,
                api_names=api_names,
                payload=payload,
                lang=lang,
                registry=registry,
            )
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    write_output(output, orjson.dumps(made, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
