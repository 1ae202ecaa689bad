"""operating.md and the unit beside it: what they name is there, and systemd takes the unit."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("pydantic_settings")

from envelope.gateway.settings import made_settings
from envelope.gateway.stores.addresses import is_postgresql
from tests.cli.command import run
from tests.documents import page, text_of

OPERATING = text_of("operating.md")
UNIT = text_of("envelope-gateway.service")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", OPERATING, re.MULTILINE | re.DOTALL)


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    unit = tmp_path / "envelope-gateway.service"
    unit.write_text(UNIT.replace("/opt/envelope-gateway/bin/envelope", shutil.which("true") or "/bin/true"))
    ran = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stderr) == (0, "")


def of_unit(name: str) -> str:
    [value] = re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)
    return str(value)


def test_the_unit_waits_longer_than_the_gateway_drains() -> None:
    seconds = re.search(r"(\d+) seconds at most", UNIT)
    assert seconds is not None
    assert int(of_unit("TimeoutStopSec")) >= int(seconds[1]) + 10


def test_the_unit_and_the_page_speak_of_the_same_places() -> None:
    words = shlex.split(of_unit("ExecStart"))
    text = run(*words[1:3], "--help").stdout
    assert all(word in text for word in words[3:] if word.startswith("--"))
    for place in (
        words[0].removesuffix("/bin/envelope"),
        words[words.index("--config") + 1],
        of_unit("WorkingDirectory"),
    ):
        assert place in OPERATING
    for name in ("User", "Group"):
        assert of_unit(name) == "gateway"


def test_the_settings_of_the_page() -> None:
    first, second = blocks("toml")
    assert made_settings(tomllib.loads(first)).store == "/var/lib/envelope-gateway/gateway.db"
    assert is_postgresql(tomllib.loads(second)["store"])


def test_the_commands_of_the_page_exist() -> None:
    lines = re.findall(
        r"(?:^ *|`)gateway ([a-z][^`\n]*)",
        "\n".join([*blocks("sh"), *re.findall(r"`[^`\n]+`", OPERATING)]),
        re.MULTILINE,
    )
    assert len(lines) > 10
    for line in lines:
        words = line.split()
        text = run("gateway", *words[: 2 if words[0] == "account" else 1], "--help")
        assert text.exit_code == 0, line
        assert all(word in text.stdout for word in words if word.startswith("--")), line


def test_its_links_lead_somewhere() -> None:
    for target, part in re.findall(r"\]\(([^)#]+)(?:#([\w-]+))?\)", OPERATING):
        text = (page("operating.md").parent / target).read_text(encoding="utf-8")
        headings = {
            re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-")
            for line in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        }
        assert not part or part in headings, target


def test_nginx_takes_its_part(tmp_path: Path) -> None:
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed")
    [text] = blocks("nginx")
    text = re.sub(r"^ *ssl_certificate.*$", "", text, flags=re.MULTILINE).replace("443 ssl http2", "8443")
    text = text.replace("/var/log/nginx", str(tmp_path))
    file = tmp_path / "nginx.conf"
    file.write_text(f"pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}} http {{ {text} }}")
    ran = subprocess.run(["nginx", "-t", "-q", "-c", str(file)], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr


def test_haproxy_takes_its_part(tmp_path: Path) -> None:
    if shutil.which("haproxy") is None:
        pytest.skip("HAProxy is not installed")
    [text] = blocks("haproxy")
    file = tmp_path / "haproxy.cfg"
    file.write_text(re.sub(r"bind :443 ssl .*$", "bind :8443", text, flags=re.MULTILINE))
    ran = subprocess.run(["haproxy", "-c", "-q", "-f", str(file)], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")
