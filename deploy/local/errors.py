"""What can go wrong on the way up."""

from __future__ import annotations


class StackError(Exception):
    """The stack, or a part of it, cannot do what was asked; the message says what to do next."""


class AlreadyRunningError(StackError):
    """Another process runs a stack in the same directory."""
