"""What `.ci/run` does, one session at a time: `nox -l` lists them, `nox -s style types` runs two."""

from __future__ import annotations

import nox

nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["style", "types", "spelling", "fixtures", "site", "tests", "covered"]


def install(session: nox.Session) -> None:
    """The checkout with all that its checks need."""
    session.install("-e", ".[dev]")


@nox.session
def style(session: nox.Session) -> None:
    """Ruff's rules and format."""
    install(session)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Mypy, and the contract of imports."""
    install(session)
    session.run("mypy")
    session.run("lint-imports")


@nox.session
def spelling(session: nox.Session) -> None:
    """The spelling of code and documents."""
    install(session)
    session.run("codespell")


@nox.session
def fixtures(session: nox.Session) -> None:
    """Golden files against the library."""
    install(session)
    session.run("envelope", "validate", "--canonical", "fixtures/valid", "fixtures/invalid")


@nox.session
def site(session: nox.Session) -> None:
    """The site into site/html; its links are checked by tests/site."""
    install(session)
    session.run("python", "-m", "sphinx", "-W", "--keep-going", "docs", "site/html")


@nox.session
def links(session: nox.Session) -> None:
    """The site's links to elsewhere, which needs a network."""
    install(session)
    session.run("python", "-m", "sphinx", "-b", "linkcheck", "docs", "site/links")


@nox.session
def tests(session: nox.Session) -> None:
    """All tests but those of `covered`; arguments after -- go to pytest."""
    install(session)
    session.run("pytest", *(session.posargs or ("--ignore=tests/formats", "--ignore=tests/values")))


@nox.session
def covered(session: nox.Session) -> None:
    """The tests of formats and values, which must reach every branch of the formats."""
    install(session)
    cover = ("--cov=envelope/formats", "--cov-branch", "--cov-report=term-missing:skip-covered", "--cov-fail-under=100")
    session.run("pytest", "tests/formats", "tests/values", *cover)


@nox.session
def sanitizers(session: nox.Session) -> None:
    """A short pass of the compiled codecs under sanitizers."""
    install(session)
    session.run("python", "-m", "tests.sanitized", "-k", "mutants or portable or same or broken")


@nox.session
def release(session: nox.Session) -> None:
    """What is released, made and tried."""
    install(session)
    session.run("python", "tools/release.py")
