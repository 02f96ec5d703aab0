"""The container images: `make build push update`, and what the Dockerfile copies or runs."""
