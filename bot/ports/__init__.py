"""What the inner folders need from the world, as narrow Protocols that `bot.adapters` fulfil."""

from __future__ import annotations

from bot.ports.airflow import ConditionReader, DagRunReader, DagTrigger, StepWatcher
from bot.ports.artifacts import ArtifactStore
from bot.ports.clock import Clock
from bot.ports.github import (
    CheckWriter,
    People,
    PullRequestReader,
    PullRequestWriter,
    QuotaReader,
    TokenMinter,
    Viewers,
)
from bot.ports.intake import Entrance, Inbox, Ledger, PartStore
from bot.ports.pages import RunLister, RunReader
from bot.ports.pubsub import Subscription, Topic
from bot.ports.push import IdentityTokens
from bot.ports.recovery import DeliveryLog, HandStore, PullLister, RecoveryStore
from bot.ports.reports import BudgetStore, CommentStore, PastReader, ReportStore, StatusStore
from bot.ports.retention import Retention
from bot.ports.runs import ArchiveStore, RunStore
from bot.ports.tickets import TicketStore

__all__ = [
    "ArchiveStore",
    "ArtifactStore",
    "BudgetStore",
    "CheckWriter",
    "Clock",
    "CommentStore",
    "ConditionReader",
    "DagRunReader",
    "DagTrigger",
    "DeliveryLog",
    "Entrance",
    "HandStore",
    "IdentityTokens",
    "Inbox",
    "Ledger",
    "PartStore",
    "PastReader",
    "People",
    "PullLister",
    "PullRequestReader",
    "PullRequestWriter",
    "QuotaReader",
    "RecoveryStore",
    "ReportStore",
    "Retention",
    "RunLister",
    "RunReader",
    "RunStore",
    "StatusStore",
    "StepWatcher",
    "Subscription",
    "TicketStore",
    "TokenMinter",
    "Topic",
    "Viewers",
]
