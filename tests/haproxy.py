"""The haproxy that this suite starts, in front of nodes of a gateway."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# A node that cannot use its store is left out, unless no other can: then callers hear that from the gateway itself.
_CONFIGURATION = """
global
  maxconn 2000
defaults
  mode http
  option redispatch 1
  timeout connect 1s
  timeout client 90s
  timeout server 90s
  timeout check 500ms
  default-server inter 200ms fall 2 rise 1
frontend callers
  bind fd@{listener}
  use_backend ready if {{ nbsrv(ready) ge 1 }}
  default_backend alive
backend ready
  option httpchk GET /ready
  http-check expect ! rstatus ^5
  {servers}
backend alive
  option httpchk GET /health
  http-check expect ! rstatus ^5
  {servers}
"""


def missing() -> str:
    """Why there can be no proxy here; empty if there can."""
    return "" if shutil.which("haproxy") else "no haproxy on this machine: apt-get install haproxy"


@contextmanager
def proxy(folder: Path, ports: Sequence[int]) -> Iterator[int]:
    """The port of a proxy in front of these on loopback; its configuration is in *folder*."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        servers = "\n  ".join(f"server node{port} 127.0.0.1:{port} check" for port in ports)
        file = folder / "haproxy.cfg"
        file.write_text(_CONFIGURATION.format(listener=listener.fileno(), servers=servers))
        # -db: it stays in the foreground, as one process.
        process = subprocess.Popen(["haproxy", "-db", "-q", "-f", str(file)], pass_fds=[listener.fileno()])
        try:
            yield listener.getsockname()[1]
        finally:
            process.terminate()
            process.wait()
