"""A process that has imported the gateway and forks: what takes a second to import starts in the time of a fork."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_ROOT = Path(__file__).parents[3]


class Nursery:
    """Children that are forked from a process of their own, which ends with this one, and they with it."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
            env={**os.environ, **(environ or {})},
        )

    def fork(self, role: str, *args: Any) -> int:
        """A child that runs the function *role* of `tests.gateway.kills.roles` with *args*; its process id."""
        return self._ask({"role": role, "args": args})

    def kill(self, child: int, number: signal.Signals = signal.SIGKILL) -> int:
        """End a child; its exit status, the negative number of a signal if that ended it."""
        with suppress(ProcessLookupError):
            os.kill(child, number)
        return self.wait(child)

    def wait(self, child: int, seconds: float = 30.0) -> int:
        """The exit status of a child that ends by itself."""
        descriptor = os.pidfd_open(child)
        try:
            ended = select.select([descriptor], [], [], seconds)[0]
        finally:
            os.close(descriptor)
        assert ended, "it does not end"
        return self._ask({"child": child})

    def close(self) -> None:
        """End all of them."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, asked: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())


def main() -> None:
    from tests.gateway.kills import roles

    roles.warm_up()
    children: set[int] = set()
    for line in sys.stdin:
        asked = json.loads(line)
        if "child" in asked:
            children.discard(asked["child"])
            reply = os.waitstatus_to_exitcode(os.waitpid(asked["child"], 0)[1])
        else:
            reply = os.fork()
            if reply == 0:
                _become(getattr(roles, asked["role"]), asked["args"])
            children.add(reply)
        print(reply, flush=True)
    for child in children:
        os.kill(child, signal.SIGKILL)


def _become(role: Any, args: list[Any]) -> None:
    """Be a child: without the pipes, which are the parent's."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    status = 1
    try:
        role(*args)
        status = 0
    except SystemExit as error:
        status = int(error.code or 0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
