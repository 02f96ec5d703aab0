"""`python -m bot pubsub-setup`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bot.cli import FAILED, OK
from bot.settings import pubsub

if TYPE_CHECKING:
    import argparse

    from bot.settings import PubSub

HELP = "make the topics and subscriptions on Google Cloud Pub/Sub; safe to repeat"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can follow."""
    parser.add_argument("--dryrun", action="store_true", help="only say what would be done")


def run(asked: argparse.Namespace) -> int:
    """Make and mend them, a line for each; 1 if something is wrong that can't be mended."""
    from bot import bootstrap  # noqa: PLC0415 - web must not import it this early

    settings = pubsub(os.environ)
    well = True
    for said, fine in bootstrap.set_up(settings, dryrun=asked.dryrun):
        print(said if fine else f"WRONG: {said}")
        well = well and fine
    if not settings.emulator:
        print(grants(settings))
    return OK if well else FAILED


def grants(settings: PubSub) -> str:
    """What Pub/Sub's own account has to be allowed, so that dead letters reach their topic.

    https://cloud.google.com/pubsub/docs/handling-failures#grant_forwarding_permissions
    """
    account = "serviceAccount:service-NUMBER@gcp-sa-pubsub.iam.gserviceaccount.com"
    allow = f"add-iam-policy-binding {{}} --project={settings.project} --member={account} --role=roles/pubsub"
    return "\n".join(
        (
            "Dead letters need two grants to Pub/Sub's own account; if deploy/gcp/setup has not made them:",
            f"  gcloud pubsub topics {allow.format(settings.parked)}.publisher",
            f"  gcloud pubsub subscriptions {allow.format(settings.deliveries)}.subscriber",
            f"NUMBER: gcloud projects describe {settings.project} --format='value(projectNumber)'",
        )
    )
