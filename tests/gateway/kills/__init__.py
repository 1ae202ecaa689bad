"""Gateways that are killed: at each step, at random moments under load, and with what was not synced yet lost."""
