"""The thin edges: each outside system's library is imported by one package here, and by nothing else."""
