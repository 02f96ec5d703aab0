"""Manifests for Kubernetes: `base`, `components` that change it, and `overlays` that put them together."""
