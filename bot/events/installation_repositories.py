"""`installation_repositories`: repositories were added to the App's installation, or taken from it."""

from bot.events.installation import parse

__all__ = ["parse"]
