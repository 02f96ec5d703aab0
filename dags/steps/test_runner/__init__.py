"""Tests that run in a cluster: a Kubernetes Job or a custom resource, from a template to a verdict."""
