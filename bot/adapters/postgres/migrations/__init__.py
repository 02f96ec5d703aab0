"""The schema's history, newest last; run by `python -m bot migrate`."""
