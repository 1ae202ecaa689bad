"""The store in a SQLite file: for gateways on one machine."""
