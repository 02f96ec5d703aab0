"""How Pub/Sub is reached: with Application Default Credentials, or an emulator with none; and its errors.

Channels are opened with the first call, in the process that makes it: they don't survive a fork.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from google.api_core import exceptions
from google.api_core.retry import Retry, if_exception_type
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from bot.errors import PubSubUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

CALL_SECONDS = 5.0
"""What a call takes at most, with its repetitions: GitHub waits ten for a webhook's answer."""
AGAIN = Retry(
    if_exception_type(
        exceptions.Aborted,
        exceptions.InternalServerError,
        exceptions.ResourceExhausted,
        exceptions.ServiceUnavailable,
        exceptions.Unknown,
    ),
    initial=0.1,
    maximum=0.5,
    timeout=2.0,
)
"""Short: whoever asked tries again later, and while Pub/Sub is away each try holds a thread."""
# By default a channel waits for up to two minutes before it connects anew after an outage:
# https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md
_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.max_receive_message_length", -1),
)

Transport = TypeVar("Transport", PublisherGrpcTransport, SubscriberGrpcTransport)


def publisher(emulator: str) -> PublisherClient:
    """What publishes and keeps topics; at the emulator (HOST:PORT), if there is one."""
    return PublisherClient(transport=_transport(PublisherGrpcTransport, emulator))


def subscriber(emulator: str) -> SubscriberClient:
    """What pulls and keeps subscriptions."""
    return SubscriberClient(transport=_transport(SubscriberGrpcTransport, emulator))


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Say in our own words what Pub/Sub did not do for us with `what`."""
    try:
        yield
    except exceptions.NotFound as error:
        raise PubSubUnavailable(f"Pub/Sub has no {what}: run python -m bot pubsub-setup") from error
    except (exceptions.Forbidden, exceptions.Unauthorized) as error:
        raise PubSubUnavailable(f"Pub/Sub refuses us {what}: {error.message}") from error
    except exceptions.RetryError as error:
        raise PubSubUnavailable(f"Pub/Sub does not answer ({what}): {_last(error)}") from error
    except exceptions.GoogleAPICallError as error:
        raise PubSubUnavailable(f"Pub/Sub failed ({what}): {_first_line(error.message)}") from error
    except DefaultCredentialsError as error:
        raise PubSubUnavailable(
            "there are no Application Default Credentials for Pub/Sub: see deploy/PUBSUB.md"
        ) from error
    except GoogleAuthError as error:
        raise PubSubUnavailable(f"Google did not take our credentials: {_first_line(str(error))}") from error


def _transport(kind: type[Transport], emulator: str) -> Transport:
    def open_channel(host: str, *, options: list[tuple[str, Any]], **how: Any) -> grpc.Channel:  # noqa: ANN401 - handed on
        if emulator:
            return grpc.insecure_channel(host, options=[*options, *_OPTIONS])
        return kind.create_channel(host, options=[*options, *_OPTIONS], **how)

    if emulator:
        nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]  # untyped there
        return kind(host=emulator, credentials=nobody, channel=open_channel)
    return kind(channel=open_channel)


def _last(error: exceptions.RetryError) -> str:
    return _first_line(getattr(error.cause, "message", None) or str(error))


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "no reason given")
