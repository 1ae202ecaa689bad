r"""PHP `var_export`, as data: written as PHP 8.2 writes it, read by a strict reader that never evaluates anything.

    value  = NULL | true | false | int | float | string
           | array (⏎ (indent+2 key => item,⏎)* indent )
           | (object) array(⏎ (indent+3 'name' => item,⏎)* indent )
           | \Class::__set_state(array(⏎ (indent+3 'name' => item,⏎)* indent ))
           | \Class::Case
    item   = a scalar, or ⏎ indent a container or an enum's case
    key    = int | string
    string = '…' with \' and \\ escaped, NULs cut out: 'a' . "\0" . 'b'

The bytes are a PHP program, so the reader takes exactly these forms and no others: no comments, no other
white space, no short arrays, no expressions but PHP_INT_MIN's `-9223372036854775807-1`. PHP before 8.2 printed no
leading backslash, and before 7.3 `stdClass::__set_state(array(`; both are read.

What people write is another language, with a reader of its own: `envelope.formats.var_export.php_file`.
"""
