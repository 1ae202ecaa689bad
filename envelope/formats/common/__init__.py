"""What all formats share: the check of a value, the reader's cursor, the writer of text."""
