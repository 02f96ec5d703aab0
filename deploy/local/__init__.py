"""The whole of Preflight on one machine: PostgreSQL, Airflow, the bot and, for the demo, GitHub.

Read in this order: `stack.py` (what is started, and in which order), then one module per part (`postgres.py`,
`airflow.py`, `bot.py`, `standin.py`), then what keeps them in hand (`processes.py`, `watchdog.py`).
"""
