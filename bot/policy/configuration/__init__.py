"""`preflight.yaml`: read from the base branch, strictly; its problems name file, line and what to write.

`document` reads YAML, `models` says what it may hold, `reading` puts both together, `references` and `dags`
check what a single value can't tell.
"""

from __future__ import annotations

from bot.policy.configuration.dags import UNKNOWN, Unknown, check_dags
from bot.policy.configuration.fields import RESERVED
from bot.policy.configuration.inputs import Input
from bot.policy.configuration.models import Configuration, Event, Pipeline, Report
from bot.policy.configuration.problems import PATH, SHARED_PATH, ConfigurationError, Problem
from bot.policy.configuration.reading import parse, validate
from bot.policy.configuration.schema import json_schema

__all__ = [
    "PATH",
    "RESERVED",
    "SHARED_PATH",
    "UNKNOWN",
    "Configuration",
    "ConfigurationError",
    "Event",
    "Input",
    "Pipeline",
    "Problem",
    "Report",
    "Unknown",
    "check_dags",
    "json_schema",
    "parse",
    "validate",
]
