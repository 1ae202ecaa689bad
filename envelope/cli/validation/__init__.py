"""What `envelope validate` does: find units, check them, apply schemas, show findings, and `--update`."""
