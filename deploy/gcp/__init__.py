"""What Google Cloud needs for end-to-end pipelines: see README.md and `setup --help`."""
