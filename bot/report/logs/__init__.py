"""Lines of logs: those that matter, without noise and without secrets."""
