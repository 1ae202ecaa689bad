"""The examples for WSGI, Flask and Django in servers.md: they serve, and are typed as a user writes them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from envelope.calls.engine import Engine
from tests.adapters.wsgi_client import called, environ_of
from tests.documents import text_of

DOCUMENT = text_of("servers.md")


def blocks(heading: str) -> list[str]:
    """The blocks of Python below this heading."""
    section = re.split(r"^## ", DOCUMENT, flags=re.MULTILINE)
    (text,) = [part for part in section if part.startswith(f"{heading}\n")]
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_flask() -> None:
    pytest.importorskip("flask", reason="Flask is not installed (pip install 'envelope-engine[flask]')")
    app, documentation = blocks("Flask")
    names: dict[str, Any] = {"__name__": "example"}
    exec(app + documentation, names)
    client = names["app"].test_client()

    def response(where: str) -> Any:
        answer = client.get(where)
        return Engine().parse(answer.data, answer.headers["Content-Type"]).response

    assert response("/openai/custom/?method=v1/models&result_type=xml") == {"method": "v1/models"}
    assert response("/items/7?result_type=serialize") == {"id": 7}
    assert response("/codes")["4010"] == "API not found with these values"
    assert client.get("/openapi.json").json["openapi"] == "3.1.0"


DRIVER = """
import django
from django.conf import settings
import project
settings.configure(ROOT_URLCONF="shop.api", SECRET_KEY="x", ALLOWED_HOSTS=["*"], **{
    name: value for name, value in vars(project).items() if name.isupper()
})
django.setup()
from django.test import Client
client = Client(enforce_csrf_checks=True)
for answer in (client.post("/openai/custom/", {"method": "v1/models"}), client.get("/items/7"), client.get("/nowhere")):
    print(answer.status_code, answer.content.decode())
"""


def write_django(folder: Path) -> None:
    settings, api = blocks("Django")
    (folder / "shop").mkdir()
    (folder / "shop" / "__init__.py").touch()
    (folder / "shop" / "api.py").write_text(api)
    (folder / "project.py").write_text(settings)


def test_django(tmp_path: Path) -> None:
    pytest.importorskip("django", reason="Django is not installed (pip install 'envelope-engine[django]')")
    write_django(tmp_path)
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{DRIVER}"],
        capture_output=True,
        text=True,
        check=True,
    )
    first, second, third = ran.stdout.splitlines()
    assert first.startswith('200 {"response":{"method":"v1/models"}')
    assert second.startswith('200 {"response":{"id":7}')
    assert third.startswith('404 {"response":[],"error":"API not found with these values"')


def test_wsgi() -> None:
    (source,) = blocks("Any other WSGI framework")
    names: dict[str, Any] = {}
    exec(source, names)
    answer = called(names["application"], environ_of("GET", "/openai/custom/", "method=v1/models&result_type=xml"))
    assert b"<method>v1/models</method>" in answer.body
    assert called(names["application"], environ_of("PUT", "/openai/custom/")).status == 405


def test_the_examples_are_typed(tmp_path: Path) -> None:
    api = pytest.importorskip("mypy.api", reason="mypy is not installed")
    for name in ("flask", "django_stubs_ext"):
        pytest.importorskip(name, reason="the frameworks, or the types of Django, are not installed")
    write_django(tmp_path)
    (tmp_path / "flask_example.py").write_text("".join(blocks("Flask")))
    (tmp_path / "wsgi_example.py").write_text("".join(blocks("Any other WSGI framework")))
    files = [str(path) for path in tmp_path.rglob("*.py")]
    out, err, status = api.run(["--strict", "--config-file=", f"--cache-dir={tmp_path / 'cache'}", *files])
    assert status == 0, out + err
