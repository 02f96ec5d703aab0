"""What is tested, and what is made of it: `python -m steps.release clone|build|publish --help`."""
