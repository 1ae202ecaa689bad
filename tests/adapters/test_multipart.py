from __future__ import annotations

import http.client
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envelope.adapters import extras
from envelope.adapters.multipart import MAX_FILES, Form, MultipartReader, TooLarge, is_multipart
from envelope.calls.bounds import MAX_NAMES
from envelope.calls.php_query import parse_query
from envelope.errors import DecodeError, RequestError
from envelope.limits import Limits
from tests import php
from tests.adapters.multipart_forms import TYPE, Part, written

pytest.importorskip("python_multipart")

NAMES = st.lists(
    st.sampled_from([b"a", b"b", b"[", b"]", b"[]", b"[x]", b".", b" ", b"%22", b"+", b"&", b"=", b"0", b"\\", b'"', b"\xff", "名".encode(), b"'", b";"]),
    min_size=1,
    max_size=5,
).map(b"".join)  # fmt: skip
VALUES = st.binary(max_size=40) | st.sampled_from(["连衣裙".encode(), b"a b+c%41&x=y", b"\r\n--xYzZ", b"\r\n", b"\0"])
FIELDS = st.tuples(NAMES, VALUES).map(lambda field: Part(*field))
FILES = st.builds(Part, NAMES, VALUES, st.sampled_from([b"", b"a.png", b"../a", b'q"\\', "图.jpg".encode()]), st.sampled_from([b"", b"image/png"]))  # fmt: skip


def read(body: bytes, content_type: str = TYPE, *, cuts: list[int] | None = None, **bounds: Any) -> Form:
    reader = MultipartReader(content_type, **bounds)
    try:
        edges = [0, *sorted(cuts or []), len(body)]
        for start, end in pairwise(edges):
            reader.feed(body[start:end])
        return reader.finish()
    finally:
        reader.close()


def files_of(form: Form) -> list[tuple[str, str, str, int, bytes]]:
    listed = [(file.name, file.filename, file.content_type, file.size, file.file.read()) for file in form.files]
    for upload in form.files:
        upload.file.close()
    return listed


def test_fields_are_a_form_and_files_are_streams() -> None:
    parts = [
        Part(b"q", "连衣裙".encode()),
        Part(b"image", b"\x89PNG", b"../a.png", b"image/png"),
        Part(b"a.b[c][]", b"1+1=2&x"),
        Part(b"none", b"", b""),
    ]
    form = read(written(parts))
    assert parse_query(form.body) == {"q": "连衣裙", "a_b": {"c": ["1+1=2&x"]}}
    assert form.content_type == "application/x-www-form-urlencoded"
    assert files_of(form) == [("image", "../a.png", "image/png", 4, b"\x89PNG")]


@given(st.lists(FIELDS | FILES, max_size=6), st.lists(st.integers(0, 400), max_size=6))
def test_a_form_is_the_same_however_it_arrives(parts: list[Part], cuts: list[int]) -> None:
    body = written(parts)
    whole, split = read(body), read(body, cuts=cuts)
    assert whole.body == split.body
    assert files_of(whole) == files_of(split)


@given(st.lists(FIELDS | FILES, max_size=4).map(written), st.data())
def test_a_damaged_form_is_read_or_refused(body: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(body)))
    damaged = body[:at] + data.draw(st.binary(max_size=3)) + body[at + data.draw(st.integers(0, 9)) :]
    try:
        files_of(read(damaged))
    except RequestError as error:
        assert error.code == "4003"


def headed(*lines: bytes) -> bytes:
    return b"--xYzZY\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\nv\r\n--xYzZY--\r\n"


DISPOSITION = b'Content-Disposition: form-data; name="a"'


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (headed(DISPOSITION), "multipart/form-data", "has no boundary"),
        (headed(DISPOSITION), "multipart/form-data; boundary=a; boundary=b", "has no boundary"),
        (headed(DISPOSITION), f"multipart/form-data; boundary={'x' * 71}", "has no boundary"),
        (headed(DISPOSITION), f"{TYPE}; charset=gbk", "charset other than UTF-8"),
        (headed(DISPOSITION)[:-8], TYPE, "ends before its last boundary"),
        (b"", TYPE, "ends before its last boundary"),
        (b"a=1", TYPE, "cannot be read"),
        (headed(DISPOSITION, b"X: " + b"y" * 10_000), TYPE, "cannot be read"),
        (headed(DISPOSITION, *(b"X%d: y" % n for n in range(100))), TYPE, "cannot be read"),
        (headed(DISPOSITION, DISPOSITION), TYPE, "two headers of one name"),
        (headed(DISPOSITION, b"Content-Type: text/plain; charset=gbk"), TYPE, "a field is in a charset"),
        (headed(b"X: y"), TYPE, "no name that can be read"),
        (headed(b"Content-Disposition: form-data"), TYPE, "no name that can be read"),
        (headed(b'Content-Disposition: attachment; name="a"'), TYPE, "no name that can be read"),
        (headed(b'Content-Disposition: form-data; name="a'), TYPE, "no name that can be read"),
        (headed(b'Content-Disposition: form-data; name="a"b"'), TYPE, "no name that can be read"),
        (headed(b'Content-Disposition: form-data; name="a"; name="b"'), TYPE, "no name that can be read"),
        (headed(b'Content-Disposition: form-data; name="a\0b"'), TYPE, ""),
        (headed(b'Content-Disposition: form-data; name="a\nb"'), TYPE, ""),
        (written([Part(b"a%d" % n, b"") for n in range(MAX_NAMES + 1)]), TYPE, "more than 1000 parameters"),
        (written([Part(b"a", b"", b"")] * 100_000), TYPE, "more than 1000 parameters"),
        (written([Part(b"a", b"", b"x")] * (MAX_FILES + 1)), TYPE, "more than 20 files"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_what_is_not_a_form_is_refused(body: bytes, content_type: str, reason: str) -> None:
    with pytest.raises(RequestError) as info:
        read(body, content_type)
    assert (info.value.code, info.value.path) == ("4003", "$")
    assert reason in info.value.reason
    assert not isinstance(info.value, TooLarge)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([Part(b"a", b"x" * 1000)], "the fields are longer than 1000 bytes"),
        ([Part(b"n" * 600, b"x"), Part(b"m" * 600, b"x")], "the fields are longer than 1000 bytes"),
        ([Part(b"f", b"x" * 3001, b"f")], "the files are longer than 3000 bytes"),
        ([Part(b"f", b"x" * 1600, b"f"), Part(b"g", b"x" * 1600, b"g")], "the files are longer than 3000 bytes"),
        ([Part(b"none", b"x" * 5000, b"")], "the form is longer than 4000 bytes"),
    ],
)
def test_a_form_is_bounded_while_it_arrives(parts: list[Part], reason: str) -> None:
    reader = MultipartReader(TYPE, limits=Limits(max_bytes=1000), max_files_bytes=3000)
    with closing(reader), pytest.raises(TooLarge, match=reason):  # noqa: PT012  # at whichever byte
        for byte in written(parts):
            reader.feed(bytes([byte]))


def test_files_are_closed_unless_they_are_handed_on() -> None:
    body = written([Part(b"f", b"x" * 100_000, b"f")])
    reader = MultipartReader(TYPE)
    reader.feed(body[:-9])
    file = reader._file
    assert file is not None
    reader.close()
    assert file.closed
    form = read(body)
    assert not form.files[0].file.closed
    form.files[0].file.close()


def test_multipart_is_known_by_its_type() -> None:
    assert is_multipart("Multipart/Form-Data; boundary=x")
    assert not is_multipart("application/json")


def test_a_missing_package_is_told_with_the_command_that_installs_it() -> None:
    with pytest.raises(ImportError, match=r"pip install 'envelope-engine\[multipart\]'"), extras.extra("multipart"):
        raise ModuleNotFoundError("No module named 'python_multipart'", name="python_multipart")


SCRIPT = """<?php
echo serialize([$_POST, array_map(fn ($file) => $file['full_path'], $_FILES)]);
"""


@pytest.fixture(scope="module")
def php_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    if why := php.missing():
        pytest.skip(why)
    script = tmp_path_factory.mktemp("php") / "echo.php"
    script.write_text(SCRIPT)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = ["php", "-d", "display_errors=0", "-d", "log_errors=0", "-S", f"127.0.0.1:{port}", str(script)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(500):
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.01)
        yield port
    finally:
        server.terminate()
        server.wait(10)


def asked(port: int, body: bytes) -> Any:
    from envelope.formats.serialize import read as serialize
    from envelope.options import ReadOptions

    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("POST", "/", body, {"Content-Type": TYPE})
        return serialize.loads(connection.getresponse().read(), ReadOptions(values="php"))


def as_php(value: Any) -> Any:
    """A value as PHP tells it: its arrays by their keys, in order."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    return value if members is None else [(str(key), as_php(member)) for key, member in members]


@pytest.mark.php
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(parts=st.lists(FIELDS, max_size=6))
def test_the_fields_are_those_that_php_reads(php_server: int, parts: list[Part]) -> None:
    body = written(parts)
    try:
        ours = parse_query(read(body).body)
    except (RequestError, DecodeError):  # stricter than PHP
        return
    assert as_php(ours) == as_php(asked(php_server, body)[0])


@pytest.mark.php
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(parts=st.lists(st.builds(
    Part,
    # PHP drops files whose brackets do not match, and merges those of one name.
    st.sampled_from([b"a", b"b.c", b" d", "名".encode(), b"e f", b"%22"]),
    VALUES,
    st.sampled_from([b"", b"a.png", b"../a", "图.jpg".encode()]),
    st.sampled_from([b"", b"image/png"]),
), max_size=6, unique_by=lambda part: part.name))  # fmt: skip
def test_the_files_are_those_that_php_reads(php_server: int, parts: list[Part]) -> None:
    form = read(written(parts))
    sent = [(file.name, file.filename) for file in form.files]
    for upload in form.files:
        upload.file.close()
    names = [next(iter(parse_query(quote_plus(name) + "=1"))) for name, _ in sent]
    theirs = {name: path for name, path in as_php(asked(php_server, written(parts))[1]) if path}
    assert dict(zip(names, [filename for _, filename in sent], strict=True)) == theirs
