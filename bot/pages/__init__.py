"""What a browser or a probe asks for: run pages, health, metrics."""
