"""A finished run among the artifacts, in the layout that Prow's tools read."""
