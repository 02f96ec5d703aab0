"""Google Cloud Pub/Sub. Importing it costs 24 MB: done only where it is used."""

from bot.adapters.pubsub.setup import PubSubSetup
from bot.adapters.pubsub.subscription import PubSubSubscription
from bot.adapters.pubsub.topic import PubSubTopic

__all__ = ["PubSubSetup", "PubSubSubscription", "PubSubTopic"]
