"""What each kind of input costs: memory and time of every reader, writer and command, as the input grows.

The bounds are those of docs/explanation/known-limits.md: memory at most 40 times the input and 16 MiB, and double the input at most
2.5 times the work. `python -m tests.cost` makes the table; tests/test_cost.py holds its short form.
"""
