"""The package's first import, which does nothing but for `python -m envelope`, so that Ctrl-C is quiet from here on."""

import sys

# While Python looks for what to run, the program's name is still -m.
if sys.argv[:1] == ["-m"] and sys.orig_argv[1:3] == ["-m", "envelope"]:
    import envelope_command as envelope_command
