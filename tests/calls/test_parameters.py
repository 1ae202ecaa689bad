"""The table of common parameters: it is complete, and everything about a parameter follows from its row."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import MISSING, fields, replace
from enum import StrEnum
from typing import Any

import pytest

from envelope import Lang, RequestError, ResultType
from envelope.calls.cache_keys import cache_key, client_cache_key
from envelope.calls.openapi import openapi_document, request_schema
from envelope.calls.parameters import PARAMETERS, Parameter
from envelope.calls.request import ApiRequest
from envelope.calls.signing import signature

NAMES = [row.name for row in PARAMETERS]
ROWS = pytest.mark.parametrize("row", PARAMETERS, ids=NAMES)

# A call that has all of them, none at its default.
FULL = ApiRequest(
    key="k",
    secret="s",
    sign="0" * 32,
    api_name="custom",
    cache=False,
    result_type=ResultType.XML,
    lang=Lang.RU,
    version="2",
    dateline="2023-03-05 10:03:24",
    method="v1/models",
    args={"n": 1},
    params={"q": "x"},
)


def other(row: Parameter) -> dict[str, Any]:
    """A value for the field of this parameter that is neither that in `FULL` nor the default."""
    if row.default is None:
        return {row.field: {"n": 2}}
    if isinstance(row.default, StrEnum):
        taken = (row.default, getattr(FULL, row.field))
        return {row.field: next(value for value in type(row.default) if value not in taken)}
    if isinstance(row.default, bool):  # there are only two
        return {row.field: row.default}
    return {row.field: "other"}


def test_the_rows_are_the_fields_of_a_request() -> None:
    """All but three: the path has one, and the others hold an API's own parameters and files."""
    own = {field.name for field in fields(ApiRequest)} - {"api_type", "params", "files"}
    assert {row.field for row in PARAMETERS} == own
    names = [name for row in PARAMETERS for name in (row.name, row.alias) if name]
    assert len(set(names)) == len(names)


@ROWS
def test_a_rows_default_is_its_fields(row: Parameter) -> None:
    (default,) = (field.default for field in fields(ApiRequest) if field.name == row.field)
    default_of_row: dict[str, Any] = {row.field: row.default}
    if row.name in ("key", "api_name"):  # a call has them
        assert (default, row.default) == (MISSING, "")
    else:
        assert default == row.default
        assert row.name not in replace(FULL, **default_of_row).to_params()
    if "default" in row.schema:
        sent = {**FULL.to_params(), row.name: row.schema["default"]}
        assert getattr(ApiRequest.from_params(sent), row.field) == row.default
    assert "default" in row.schema or row.default in ("", None)
    assert row.description


def test_they_are_sent_in_their_places() -> None:
    assert len({row.sent for row in PARAMETERS} - {0}) == len(PARAMETERS)
    before = [row.name for row in sorted(PARAMETERS, key=lambda row: row.sent) if row.sent < 0]
    after = [row.name for row in sorted(PARAMETERS, key=lambda row: row.sent) if row.sent > 0]
    assert list(FULL.to_params()) == [*before, "q", *after]


def test_the_first_wrong_parameter_is_reported() -> None:
    params: dict[str, Any] = {name: [1] for name in NAMES}
    for name in NAMES:
        with pytest.raises(RequestError) as caught:
            ApiRequest.from_params(params)
        assert (caught.value.code, caught.value.path) == ("4003", f"$.{name}")
        params[name] = FULL.to_params()[name]
    assert ApiRequest.from_params({**params, "q": "x"}) == FULL


def test_what_is_not_signed_is_what_the_client_adds_after_it_signed() -> None:
    """The signature itself, and everything sent after it."""
    (signature_row,) = (row for row in PARAMETERS if row.name == "sign")
    unsigned = {row.name for row in PARAMETERS if not row.signed}
    assert unsigned == {row.name for row in PARAMETERS if row.sent >= signature_row.sent}
    assert unsigned == {"sign", "secret", "cache", "lang", "result_type"}


@ROWS
def test_a_row_says_what_signature_and_cache_keys_cover(row: Parameter) -> None:
    changed = replace(FULL, **other(row))
    assert (signature(changed, "s") != signature(FULL, "s")) == row.signed
    assert (cache_key(changed) != cache_key(FULL)) == row.in_cache_key
    # The client's own key has the API's name too, before all values.
    assert (client_cache_key(changed) != client_cache_key(FULL)) == (row.in_client_cache_key or row.name == "api_name")


def test_the_clients_key_covers_what_is_called() -> None:
    """Not who calls, when, or how it is answered: it covers nothing that the library's own key does not."""
    keyed = {row.name for row in PARAMETERS if row.in_client_cache_key}
    assert keyed == {"version", "method", "_o_args"}
    assert keyed <= {row.name for row in PARAMETERS if row.in_cache_key}


def test_the_documentation_is_the_table() -> None:
    said = {row.name: {**row.schema, "description": row.description} for row in PARAMETERS}
    assert request_schema()["properties"] == said
    document = openapi_document()
    assert document["components"]["schemas"]["Request"]["properties"] == said
    (operations,) = document["paths"].values()
    listed = {each["name"]: each for each in operations["get"]["parameters"]}
    # The path has the API's name, and OpenAPI has security schemes for credentials.
    assert sorted([*listed, *document["components"]["securitySchemes"], "api_name"]) == sorted(NAMES)
    for name, parameter in listed.items():
        assert {**parameter["schema"], "description": parameter["description"]} == said[name]


# In a separate Python process, because modules read the table when they are imported.
NEWCOMER = """
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from envelope.calls import parameters as table

table.PARAMETERS += (
    table.Parameter(name="region", alias="area", sent=-6, signed=True, in_cache_key=True, in_client_cache_key=True,
                    schema={"type": "string"}, description="Where."),
    table.Parameter(name="_dry", field="dry", default=False, sent=7, signed=False, in_cache_key=False, in_client_cache_key=False,
                    schema={"enum": ["yes", "no"]}, description="Whether it is but a rehearsal."),
)

# The source of the module with two more fields, as somebody would write them.
source = Path(find_spec("envelope.calls.request").origin).read_text(encoding="utf-8")
files = "    files: tuple[Upload, ...] = field(default=(), compare=False)\\n"
assert source.count(files) == 1
request = ModuleType("envelope.calls.request")
sys.modules[request.__name__] = request
exec(source.replace(files, files + '    region: str = ""\\n    dry: bool = False\\n'), vars(request))
Wider = request.ApiRequest

from envelope import RequestError
from envelope.calls import cache_key, client_cache_key, openapi_document, request_schema, signature

call = Wider(key="k", secret="s", api_name="custom", params={"q": "x"}, region="north", dry=True)
sent = {"region": "north", "key": "k", "api_name": "custom", "q": "x", "secret": "s", "_dry": "yes"}
assert list(call.to_params().items()) == list(sent.items())
for carrier in ("query", "form", "json"):
    assert Wider.read(call.write(carrier)) == call
assert Wider.from_params({**sent, "region": "", "area": "north"}) == call
assert Wider.from_params({"key": "k", "secret": "s", "api_name": "custom"}) == Wider(key="k", secret="s", api_name="custom")
for name, wrong in (("region", [1]), ("_dry", "maybe")):
    try:
        Wider.from_params({**sent, name: wrong})
        raise SystemExit(f"{name} is not checked")
    except RequestError as error:
        assert error.path == f"$.{name}", error
for wrong in ({"region": 1}, {"dry": "yes"}):
    try:
        Wider(key="k", api_name="custom", **wrong)
        raise SystemExit(f"{wrong} is not checked")
    except TypeError:
        pass
for params in ({"region": "x"}, {"area": "x"}, {"_dry": "x"}):
    try:
        Wider(key="k", api_name="custom", params=params)
        raise SystemExit(f"{params} may be an API's own")
    except ValueError:
        pass
elsewhere, real = replace(call, region="south"), replace(call, dry=False)
assert signature(elsewhere, "s") != signature(call, "s") == signature(real, "s")
assert cache_key(elsewhere) != cache_key(call) == cache_key(real)
assert client_cache_key(elsewhere) != client_cache_key(call) == client_cache_key(real)
assert {"region", "_dry"} < set(request_schema()["properties"])
assert {"region", "_dry"} < {each["name"] for each in openapi_document()["paths"]["/openai/custom/"]["get"]["parameters"]}
print("everywhere")
"""


def test_a_new_parameter_needs_only_a_row_and_a_field() -> None:
    ran = subprocess.run([sys.executable, "-c", NEWCOMER], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("everywhere\n", "")
