"""The binaries that the DAGs run: `python -m steps.NAME COMMAND --help`. Standard library only."""
