"""A place to test in: made, filled, tested, removed."""
