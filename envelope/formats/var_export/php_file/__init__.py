r"""PHP files of data, as people and frameworks write them: var_export's dialects "file" and "short", never evaluated.

    file       = [<?php] statement* [?>]                   without <?php also a lone expression
    statement  = return expression ; | $name ([ [key] ])* = expression ; | define('NAME', expression) ;
               | const NAME = expression, … ; | expression ; | declare(strict_types=1) ; | namespace … ; | use … ;
    expression = operand (operator operand)* | expression ? expression : expression       (they bind as in PHP)
    operand    = (- | + | ! | ~ | (type))* primary ([ expression ])*
    primary    = number | string | heredoc | nowdoc | constant | array | (expression) | $name
               | Name::class | \Class::Case | \Class::__set_state(array) | new stdClass | unknown
    array      = [element, …] | array(element, …)          element = [expression =>] expression | ...expression

The value is what `include` returns. Without a `return` it is what the file assigns: of a lone `$name = …;` its value,
else a map by the names of the variables and constants. What only running the file would tell is *unknown*: a call, a
variable, a constant of somebody's own. It is an error that names it, unless the caller's `unknown` gives its value, or
PHP would not evaluate it, as the right side of `??` behind what is not null.

Spaces and comments may stand between all tokens. PHP 8.2 decides what a spelling means.
"""
