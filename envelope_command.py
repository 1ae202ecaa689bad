"""Where the command `envelope` starts: from here on, Ctrl-C ends it without a traceback.

It is not in the package, because importing anything of that takes far longer than importing this.
"""

import os
import signal

__all__ = ["main"]

_INTERRUPTED = 130  # what shells report for SIGINT


def main() -> None:
    """Run the command."""
    from envelope.cli import load, run

    command = load()
    try:
        _on_interrupt(raise_it=True)  # the command knows what to close
        run(command)
    except KeyboardInterrupt:
        os._exit(_INTERRUPTED)
    finally:
        _on_interrupt(raise_it=False)


def _on_interrupt(*, raise_it: bool) -> None:
    """Make Ctrl-C raise `KeyboardInterrupt`, or else end the process at once; if it is ignored, it stays ignored."""
    if callable(signal.getsignal(signal.SIGINT)):
        signal.signal(signal.SIGINT, signal.default_int_handler if raise_it else lambda *_: os._exit(_INTERRUPTED))


_on_interrupt(raise_it=False)
