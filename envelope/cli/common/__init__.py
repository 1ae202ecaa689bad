"""What several commands share: files, detection of a format, options, reports, colour."""
