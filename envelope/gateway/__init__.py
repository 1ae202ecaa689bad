"""A gateway: accounts, books and upstreams behind one envelope."""
