"""Clients of the gateway in other languages: each does what the documents' sample in its language does."""
