"""Artifacts: what steps leave, and what a run is told by, in the layout of Prow's tools."""
