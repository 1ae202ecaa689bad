"""For your own tests: Hypothesis strategies, an assertion, a pytest plugin and a real PHP to ask.

The strategies (`values`, `php_values`, `envelopes` and their parts; see `envelope.testing.strategies`) need hypothesis,
which the extra ``testing`` installs with pytest. `envelope.testing.php` asks PHP; `envelope.testing.plugin` is found by
pytest itself.
"""

import importlib
from typing import TYPE_CHECKING

from envelope.testing.assertions import assert_same_envelope

_STRATEGIES = ["envelopes", "php_values", "scalars", "texts", "values"]

__all__ = ["assert_same_envelope", "envelopes", "php_values", "scalars", "texts", "values"]

if TYPE_CHECKING:
    from envelope.testing.strategies import envelopes, php_values, scalars, texts, values
else:

    def __getattr__(name: str) -> object:
        # pytest imports this package for its plugin, and hypothesis may not be installed.
        if name not in _STRATEGIES:
            raise AttributeError(f"module 'envelope.testing' has no attribute {name!r}")
        try:
            return getattr(importlib.import_module("envelope.testing.strategies"), name)
        except ModuleNotFoundError as exc:
            if exc.name != "hypothesis":
                raise
            message = f"envelope.testing.{name} needs hypothesis: pip install 'envelope-engine[testing]'"
            raise ModuleNotFoundError(message, name=exc.name) from None
