"""`make bench`: how fast Preflight is, each figure beside a baseline measured in the same run.

Read in this order: `figures.py` (what a figure is), `system.py` (what is started), `pull_requests.py` (the
life of a pull request, which the first figures are taken from), then one module per figure:
`first_status.py`, `final_word.py`, `github_requests.py`, `accepted.py`, `demo_time.py`. Decisions need
none of that: `deciding.py` makes them, and `decisions.py` and `decision_requests.py` have their figures.
What people see has its figures in `reports.py`, `burst.py`, `run_pages.py` and `excerpts.py`; the first two
are taken with `quick_airflow.py`. What happens under load, and after years: `steady.py` and `storm.py`
(deliveries), `sweeps.py` (unfinished runs), `history.py` (a million runs), `trigger.py` and `idle.py` (no
load at all). `receivers.py` are other receivers of webhooks, for comparison.
"""
