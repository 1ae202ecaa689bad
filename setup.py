"""Build the compiled codecs if there is a C++ compiler; everything else is in pyproject.toml.

Without a compiler, or if it fails, each extension is skipped with a message, and the library is pure Python. With
ENVELOPE_PURE=1 none is tried: so is the wheel made that runs everywhere.
"""

from __future__ import annotations

import os
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

FORMATS = Path("envelope/formats")  # compiled sources are beside their Python twins

# No flags for one machine only: a wheel runs on its whole architecture. What Cython generates compiles without
# warnings, so any warning is about our own code. An extension's functions are only called from inside it, so they are
# hidden, which makes the calls direct.
FLAGS = {
    "unix": ["-std=c++17", "-O3", "-fvisibility=hidden", "-fno-plt", "-Wall", "-Wextra"],
    "mingw32": ["-std=c++17", "-O3"],
    "msvc": ["/std:c++17", "/O2", "/EHsc", "/utf-8"],
}


class BuildExtensions(build_ext):
    """Builds on all processors, with flags that depend on the compiler."""

    def finalize_options(self) -> None:
        """Like setuptools, but by default on all processors."""
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def build_extensions(self) -> None:
        """Like setuptools, with our flags after its own."""
        flags = FLAGS.get(self.compiler.compiler_type, [])
        # Python's own flags request debug information (-g), which is a quarter of the compile time and most of each
        # file. If CFLAGS or CXXFLAGS are set, they decide: tests.sanitized wants it.
        if self.compiler.compiler_type == "unix" and not (self.debug or {"CFLAGS", "CXXFLAGS"} & os.environ.keys()):
            flags = [*flags, "-g0"]
        for extension in self.extensions:
            extension.extra_compile_args = flags
        super().build_extensions()


EXTENSIONS = [
    Extension(
        ".".join(source.with_suffix("").parts),
        [source.as_posix()],
        include_dirs=[FORMATS.as_posix()],
        depends=sorted(path.as_posix() for path in (*FORMATS.rglob("*.hpp"), *FORMATS.rglob("*.pxd"))),
        language="c++",
        optional=True,
    )
    for source in sorted(FORMATS.rglob("*.pyx"))
]

setup(
    ext_modules=[] if os.environ.get("ENVELOPE_PURE") == "1" else EXTENSIONS,
    cmdclass={"build_ext": BuildExtensions},
)
