"""How fast it is, beside its peers, in one run: `python -m tests.bench`. Never a timed test."""
