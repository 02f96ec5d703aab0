"""Making good for what we missed while we were down: by GitHub's delivery log, else by an audit.

`missed` and `differences` decide, and are pure; `rounds` does it in the worker, `by_hand` for people.
"""
