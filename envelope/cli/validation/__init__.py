"""What `envelope validate` does: units to check, schemas, findings, and what `--update` writes."""
