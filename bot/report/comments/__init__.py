"""What a pull request is told in words: the one comment, and answers to commands."""
