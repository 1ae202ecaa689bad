"""What several commands share: files, format detection, options, reports, colour."""
