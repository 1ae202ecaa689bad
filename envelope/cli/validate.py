"""`envelope validate`: check fixtures against their formats, the registry and each other."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.progress import track

from envelope.answers.envelope import TEXT_FIELDS
from envelope.cli.common.files import write_output
from envelope.cli.common.options import ignore_option, registry_option
from envelope.cli.common.report import printable, show_note
from envelope.cli.common.source_options import DIALECTS
from envelope.cli.validation.checker import Checker
from envelope.cli.validation.findings import Outcome, as_github, as_json, as_junit, locate, show_outcomes
from envelope.cli.validation.units import BESIDE, find_units
from envelope.cli.validation.update import update_case
from envelope.fixtures.bodies import SUFFIXES
from envelope.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from envelope.cli.validation.units import Unit
    from envelope.options import Dialect
    from envelope.registry.codes import CodeRegistry

__all__ = ["validate"]

_EXAMPLES = """\b
Examples:
  mkdir bodies && printf '{"response":[],"error":"","reason":"","error_code":"0000","request_id":"1.6403f86cd67f6",\
"last_id":""}' > bodies/a.json
  envelope validate bodies
  envelope validate --format junit bodies > report.xml
  envelope validate --canonical --format github bodies/a.json
"""

_WRITERS: Final = {"json": as_json, "junit": as_junit, "github": as_github}


def _check_payload(_: click.Context, __: click.Parameter, name: str) -> str:
    if name in TEXT_FIELDS or not name:
        raise click.BadParameter("must not be empty or another field's name")
    return name


@click.command(epilog=_EXAMPLES)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--canonical", is_flag=True, help="Bodies must be byte for byte what this library writes.")
@click.option(
    "--format",
    type=click.Choice(["text", *_WRITERS]),
    default="text",
    show_default=True,
    help="text is for people; the others go to standard output.",
)
@click.option("--update", is_flag=True, help="First rewrite the bodies of portable cases, and show what changed.")
@click.option(
    "--from",
    "source",
    type=click.Choice([str(name) for name in FORMATS]),
    help="The body that --update writes the others from; by default the first one present, json before the rest.",
)
@click.option(
    "--payload",
    default="response",
    show_default=True,
    metavar="NAME",
    callback=_check_payload,
    help="The payload's name in bodies outside cases.",
)
@click.option(
    "--dialect",
    type=DIALECTS,
    multiple=True,
    help="Dialect of bodies outside cases, if their format has it; may be repeated.",
)
@ignore_option
@registry_option
def validate(
    *,
    paths: Sequence[str],
    canonical: bool,
    format: str,
    update: bool,
    source: str | None,
    payload: str,
    dialect: Sequence[Dialect],
    ignore: Sequence[str],
    registry: CodeRegistry,
) -> None:
    """Check fixtures: files, and everything in folders except hidden names and links to folders.

    A folder with a case.toml is a case: one value in each format. A body NAME with a NAME.toml beside it must be
    refused as that file says. Every other body must be an envelope. A note tells how many files were not looked at. The
    exit status is 0 if there are no findings, 1 if there are any, and 2 for a mistake in the command line.
    """
    if update and format != "text":
        raise click.UsageError("--update shows changes as text only, so it cannot be used with --format")
    if source and not update:
        raise click.UsageError("--from needs --update")
    units, unread, others = find_units(paths)
    if update:
        for unit in units:
            if unit.kind == "case":
                for change in update_case(unit, source):
                    _print(change)
        units, unread, others = find_units(paths)  # again, for the new bodies
    checker = Checker(registry=registry, canonical=canonical, payload=payload, dialect=dialect, ignore=ignore)
    outcomes = [Outcome(finding.file, [(finding, locate(finding, b""))]) for finding in unread]
    terminal = Console(stderr=True)
    is_quiet = not terminal.is_terminal
    shown = track(units, "validating", console=terminal, transient=True, disable=is_quiet)
    outcomes += map(checker.outcome, shown)
    count = sum(len(outcome.findings) for outcome in outcomes)
    if format == "text":
        show_outcomes(outcomes)
        write_output("-", f"{_summary(units)}: {_count(count, 'finding') if count else 'no findings'}\n".encode())
    else:
        write_output("-", _WRITERS[format](outcomes))
    _show_others(others)
    if count:
        raise click.exceptions.Exit(1)


def _show_others(others: Sequence[str]) -> None:
    """Tell of files that were not looked at: one may be a fixture whose name is wrong."""
    descriptions = [path for path in others if path.endswith(BESIDE)]
    rest = [path for path in others if not path.endswith(BESIDE)]
    if rest:
        show_note(f"{_not_looked_at(rest)}; the names of bodies end in {SUFFIXES}")
    if descriptions:
        show_note(f"{_not_looked_at(descriptions)}; the file about a.json is a.json{BESIDE}")


def _not_looked_at(paths: Sequence[str]) -> str:
    if len(paths) == 1:
        return f"1 file was not looked at, {printable(paths[0])}"
    return f"{len(paths)} files were not looked at, such as {printable(paths[0])}"


def _summary(units: Sequence[Unit]) -> str:
    nouns = {"case": "case", "invalid": "invalid body", "body": "other body"}
    counts = Counter(nouns[unit.kind] for unit in units)
    return ", ".join(_count(counts[noun], noun) for noun in nouns.values() if counts[noun]) or "nothing"


def _count(count: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"


def _print(text: Text) -> None:
    console = Console(highlight=False)
    with console.capture() as capture:
        console.print(text, soft_wrap=True)
    write_output("-", capture.get().encode("utf-8", "backslashreplace"))
