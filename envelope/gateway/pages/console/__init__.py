"""The console: what the admin API does, for an operator with a browser."""
