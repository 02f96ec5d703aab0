"""Decision -> Airflow -> outcome."""
