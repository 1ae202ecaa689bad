"""Data as it is found: one case of each kind that people hold in their hands, with what is right for it.

``python -m tests.field`` runs them all and prints a table; `test_field` runs them in the suite. A case is a function
and what it must return: a value, the bytes as PHP writes them, or the place and the hint of an error, for Python and
for the command.
"""
