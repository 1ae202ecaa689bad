"""The PHP that this suite asks: the version whose bytes the library reproduces, with extra operations."""

from __future__ import annotations

import subprocess
from pathlib import Path

from envelope.testing import php

OPERATIONS = Path(__file__).with_name("php_operations.php")


def missing() -> str:
    """Why PHP cannot be asked here; empty if it can."""
    if why := php.missing("8.2."):
        return why
    probe = ["php", "-r", "exit(function_exists('simplexml_load_string') && function_exists('mb_strlen') ? 0 : 1);"]
    if subprocess.run(probe, check=False).returncode:
        return "php has no xml or no mbstring extension"
    return ""


def start() -> php.Php:
    """A PHP that has the suite's operations, too."""
    return php.Php(OPERATIONS)
