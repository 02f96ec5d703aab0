"""PostgreSQL through SQLAlchemy: the inbox, the ledger of decisions, and what was shown to whom."""

from bot.adapters.postgres.archive import PostgresArchive
from bot.adapters.postgres.budget import PostgresBudget
from bot.adapters.postgres.by_hand import PostgresByHand
from bot.adapters.postgres.database import Database
from bot.adapters.postgres.inbox import PostgresInbox
from bot.adapters.postgres.ledger import PostgresLedger
from bot.adapters.postgres.listener import Listener
from bot.adapters.postgres.listing import PostgresRunList
from bot.adapters.postgres.parts import PostgresParts
from bot.adapters.postgres.past import PostgresPast
from bot.adapters.postgres.reader import PostgresReader
from bot.adapters.postgres.recovery import PostgresRecovery
from bot.adapters.postgres.reports import PostgresReports
from bot.adapters.postgres.retention import PostgresRetention
from bot.adapters.postgres.runs import PostgresRuns
from bot.adapters.postgres.tickets import PostgresTickets

__all__ = [
    "Database",
    "Listener",
    "PostgresArchive",
    "PostgresBudget",
    "PostgresByHand",
    "PostgresInbox",
    "PostgresLedger",
    "PostgresParts",
    "PostgresPast",
    "PostgresReader",
    "PostgresRecovery",
    "PostgresReports",
    "PostgresRetention",
    "PostgresRunList",
    "PostgresRuns",
    "PostgresTickets",
]
