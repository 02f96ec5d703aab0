"""Our own web, seen from outside."""
