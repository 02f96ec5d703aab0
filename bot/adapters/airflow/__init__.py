"""Airflow, behind the ports DagTrigger and DagRunReader."""

from bot.adapters.airflow.client import AirflowClient

__all__ = ["AirflowClient"]
