"""What is checked over the merged tree: the repository's own commands, its linter, its tests."""
