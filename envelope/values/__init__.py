"""Values: what all formats share, PHP's own types, PHP's rules on keys, and when two values are the same.

Portable values are `None`, `bool`, `int` (64-bit), finite `float`, `str` without lone surrogates, `list`, and
`dict` with `str` keys; exact types only. ``values="php"`` adds `bytes` (strings that are not UTF-8), `int` keys,
NAN and INF, `PhpObject` and `PhpEnum`, and, if asked for, `PhpReference`. Everything here is inert: no class is ever
looked up or called.
"""

from typing import TYPE_CHECKING

from envelope.lazy import door

if TYPE_CHECKING:
    from envelope.values.comparison import Change as Change
    from envelope.values.comparison import changes as changes
    from envelope.values.ignored import without as without
    from envelope.values.php_rules import INT_MAX as INT_MAX
    from envelope.values.php_rules import INT_MIN as INT_MIN
    from envelope.values.php_rules import array_key as array_key
    from envelope.values.php_rules import is_ambiguous as is_ambiguous
    from envelope.values.php_types import Loss as Loss
    from envelope.values.php_types import PhpEnum as PhpEnum
    from envelope.values.php_types import PhpObject as PhpObject
    from envelope.values.php_types import PhpProperty as PhpProperty
    from envelope.values.php_types import PhpReference as PhpReference
    from envelope.values.php_types import PortableValue as PortableValue
    from envelope.values.php_types import Value as Value
    from envelope.values.php_types import Visibility as Visibility
    from envelope.values.php_types import differences as differences
    from envelope.values.php_types import same as same
else:
    __getattr__, __dir__, __all__ = door(
        __name__,
        {
            "comparison": "Change changes",
            "ignored": "without",
            "php_types": (
                "Loss PhpEnum PhpObject PhpProperty PhpReference PortableValue Value Visibility differences same"
            ),
            "php_rules": "INT_MAX INT_MIN array_key is_ambiguous",
        },
    )
