"""Preflight: runs Airflow pipelines on pull requests and reports every step back to them."""
