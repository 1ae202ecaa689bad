"""The documents as a site: `python -m tests.site --screenshots FOLDER` shows four of its pages."""
