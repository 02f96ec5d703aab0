"""Facts -> decision: configuration, trust, selection. Pure: no I/O, no clock, no environment."""
