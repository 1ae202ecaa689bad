r"""PHP `serialize` / `unserialize`.

    value  = N; | b:[01]; | i:int; | d:float; | s:length:"bytes"; | S:length:"escaped";
           | a:count:{ (key value)* } | O:length:"class":count:{ (name value)* }
           | C:length:"class":length:{payload} | E:length:"Class:Case"; | r:slot; | R:slot;
    key    = i:int; | s:length:"bytes"; | S:length:"escaped";

Lengths count bytes. What is written is what PHP 8.2 writes, byte for byte. What is read is what PHP accepts, except
for lengths that are not canonical and for bytes after the value, which PHP ignores and which hide attacks.

Slots, for `r:` and `R:`: every value takes the next number from 1, `r:` included; keys and `R:` take none. A slot
is a *place*: when a repeated key overwrites its value, the slot holds the new one.
"""
