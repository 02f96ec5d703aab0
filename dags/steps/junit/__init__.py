"""Test results: JUnit XML as pytest, Go, Maven, Jest, Bazel, nextest and others write it, summarised."""
