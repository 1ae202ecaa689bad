"""The compiled codecs, for where there is a C++ compiler; everything else stands in pyproject.toml.

Where there is none, or one that fails, each extension is skipped with a line that says so, and the library is pure.
"""

from __future__ import annotations

import os
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

FORMATS = Path("envelope/formats")  # compiled sources stand beside their twins in Python

# Nothing here is for one machine only: a wheel runs on all of its architecture. What Cython generates compiles without
# a warning, so that any warning is about our own code. What an extension has inside is called inside it alone: hidden,
# it can be called without a detour.
FLAGS = {
    "unix": ["-std=c++17", "-O3", "-fvisibility=hidden", "-fno-plt", "-Wall", "-Wextra"],
    "mingw32": ["-std=c++17", "-O3"],
    "msvc": ["/std:c++17", "/O2", "/EHsc", "/utf-8"],
}


class BuildExtensions(build_ext):
    """Builds on all processors, with flags that are set once the compiler is known."""

    def finalize_options(self) -> None:
        """As setuptools, where nothing else was asked for."""
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def build_extensions(self) -> None:
        """As setuptools, with our flags after its own."""
        flags = FLAGS.get(self.compiler.compiler_type, [])
        # Python's own flags ask for what a debugger needs (-g): a quarter of the time to compile, most of each file.
        # Whoever sets flags gets what they say: those of tests.sanitized ask for it.
        if self.compiler.compiler_type == "unix" and not (self.debug or {"CFLAGS", "CXXFLAGS"} & os.environ.keys()):
            flags = [*flags, "-g0"]
        for extension in self.extensions:
            extension.extra_compile_args = flags
        super().build_extensions()


setup(
    ext_modules=[
        Extension(
            ".".join(source.with_suffix("").parts),
            [source.as_posix()],
            include_dirs=[FORMATS.as_posix()],
            depends=sorted(path.as_posix() for path in (*FORMATS.rglob("*.hpp"), *FORMATS.rglob("*.pxd"))),
            language="c++",
            optional=True,
        )
        for source in sorted(FORMATS.rglob("*.pyx"))
    ],
    cmdclass={"build_ext": BuildExtensions},
)
