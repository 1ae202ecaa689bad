"""How the tables came to be: alembic's steps, run from the package by `migrate`."""
