"""Check runs, their annotations and buttons."""
