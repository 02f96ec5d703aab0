"""Outcome -> pull request: statuses, the comment, log excerpts, redaction. Rendering is pure."""
