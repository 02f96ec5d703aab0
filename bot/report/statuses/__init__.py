"""Commit statuses: of pipelines and of steps."""
