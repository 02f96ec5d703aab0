"""What is to be there in a Google Cloud project, as gcloud's command lines. Pure: nothing is asked or run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from steps.deploy import gke
from steps.deploy.names import address, bucket_of
from steps.release.cloud_build import BUILDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SERVICES = (
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
    "compute.googleapis.com",
    "container.googleapis.com",
    "iamcredentials.googleapis.com",
    "pubsub.googleapis.com",
    "storage.googleapis.com",
)
DELIVERIES, PARKED, EVENTS = "deliveries", "parked", "events"
"""Topics, and the subscriptions that are called as they are; each name begins with the prefix."""
BOT, AIRFLOW, PIPELINES, NODES = "preflight-bot", "preflight-airflow", "preflight-e2e", gke.NODES
PUSHER = "preflight-push"
ACCOUNTS = {
    BOT: "Preflight bot: artifacts, deliveries and events",
    AIRFLOW: "Preflight Airflow: artifacts, logs and events",
    PUSHER: "As whom Pub/Sub pushes events to the bot; may nothing",
    PIPELINES: "Preflight pipelines: clusters and images",
    NODES: "The nodes of clusters that pipelines make",
    BUILDS: "What Cloud Build builds images as",
}
PROJECT_ROLES = {
    # Create and delete clusters, and work in them: nothing less than both does it.
    PIPELINES: (
        "roles/container.clusterAdmin",
        "roles/container.developer",
        "roles/cloudbuild.builds.editor",
        "roles/serviceusage.serviceUsageConsumer",  # without it gcloud may not even upload sources
    ),
    # What Google names as the least for nodes: logs and metrics.
    NODES: ("roles/container.defaultNodeServiceAccount",),
}
KEPT_DAYS = 90
KEPT_DAYS_OF_BUILDS = 7
KUBERNETES_ACCOUNTS = {
    BOT: ("preflight",),
    AIRFLOW: ("airflow", "airflow-scheduler"),
    PIPELINES: ("preflight-e2e",),
}
"""Which Kubernetes accounts, of deploy/kustomize, are whom by Workload Identity."""


@dataclass(frozen=True)
class Options:
    """What a team chooses."""

    project: str
    region: str
    bucket: str
    repository: str
    namespace: str
    keys: Path | None = None
    """Where keys go; None: Workload Identity, no keys at all."""
    executor: str = "local"
    """Airflow's: local or kubernetes."""
    number: str = "NUMBER"
    """The project's, of which the name of Pub/Sub's own account is made."""
    prefix: str = "preflight"
    """Of topics and subscriptions, as PREFLIGHT_PUBSUB_PREFIX."""

    def topic(self, name: str) -> str:
        """A topic's whole name, and its subscription's."""
        return f"{self.prefix}-{name}"

    @property
    def builds(self) -> str:
        """The bucket for sources and logs of Cloud Build."""
        return bucket_of(BUILDS, self.project)


@dataclass(frozen=True)
class Part:
    """One thing that is to be there."""

    what: str
    create: Sequence[str]
    check: Sequence[str] = ()
    """Succeeds where it is there; empty: `create` can be repeated."""
    stdin: str = ""
    makes: Path | None = None
    """A file that `create` makes; there is nothing to do where it exists."""
    needs: Sequence[str] = ()
    """Succeeds where that is there which another program makes; until then this part waits."""


def plan(options: Options) -> Iterator[Part]:
    """Return all parts, each after those that it needs."""
    yield Part("services", ("gcloud", "services", "enable", *SERVICES, f"--project={options.project}"))
    for name, purpose in ACCOUNTS.items():
        yield _account(options, name, purpose)
    yield from _bucket(options, options.bucket, KEPT_DAYS)
    for name in (BOT, AIRFLOW):
        yield _bucket_role(options, options.bucket, name, "storage.objectAdmin")
    yield from _bucket(options, options.builds, KEPT_DAYS_OF_BUILDS)
    for name in (PIPELINES, BUILDS):
        yield _bucket_role(options, options.builds, name, "storage.objectAdmin")
        yield _bucket_role(
            options, options.builds, name, "storage.legacyBucketReader"
        )  # looks whether it is there
    yield from _registry(options)
    for topic in (DELIVERIES, PARKED, EVENTS):
        yield _topic(options, options.topic(topic))
    for name, roles in PROJECT_ROLES.items():
        for role in roles:
            yield _project_role(options, name, role)
    yield from _pubsub_roles(options)
    for name in (NODES, BUILDS):
        yield _account_role(options, name, "roles/iam.serviceAccountUser", _member(options, PIPELINES))
    yield from _identities(options)


def lifecycle(days: int) -> str:
    """Return a bucket's rule: what is older is deleted."""
    return json.dumps({"rule": [{"action": {"type": "Delete"}, "condition": {"age": days}}]})


def _account(options: Options, name: str, purpose: str) -> Part:
    accounts = ("gcloud", "iam", "service-accounts")
    return Part(
        f"service account {name}",
        (*accounts, "create", name, f"--display-name={purpose}", f"--project={options.project}"),
        (
            *accounts,
            "describe",
            _email(options, name),
            f"--project={options.project}",
            "--format=none",
        ),
    )


def _bucket(options: Options, name: str, days: int) -> Iterator[Part]:
    buckets, url = ("gcloud", "storage", "buckets"), f"gs://{name}"
    yield Part(
        f"bucket {name}",
        (
            *(*buckets, "create", url, f"--project={options.project}", f"--location={options.region}"),
            *("--uniform-bucket-level-access", "--public-access-prevention"),
        ),
        (*buckets, "describe", url, "--format=none"),
    )
    yield Part(
        f"what is older than {days} days is deleted there",
        (*buckets, "update", url, "--lifecycle-file=/dev/stdin"),
        stdin=lifecycle(days),
    )


def _bucket_role(options: Options, bucket: str, name: str, role: str) -> Part:
    binding = ("gcloud", "storage", "buckets", "add-iam-policy-binding", f"gs://{bucket}")
    return Part(
        f"{name} has {role} for {bucket}",
        (*binding, f"--member={_member(options, name)}", f"--role=roles/{role}"),
    )


def _registry(options: Options) -> Iterator[Part]:
    repositories = ("gcloud", "artifacts", "repositories")
    where = (options.repository, f"--location={options.region}", f"--project={options.project}")
    yield Part(
        f"image repository {options.repository}",
        (*repositories, "create", *where, "--repository-format=docker"),
        (*repositories, "describe", *where, "--format=none"),
    )
    for name, role in ((PIPELINES, "writer"), (BUILDS, "writer"), (NODES, "reader")):
        yield Part(
            f"{name} is its {role}",
            (
                *(*repositories, "add-iam-policy-binding", *where, f"--member={_member(options, name)}"),
                f"--role=roles/artifactregistry.{role}",
            ),
        )


def _topic(options: Options, topic: str) -> Part:
    topics = ("gcloud", "pubsub", "topics")
    project = f"--project={options.project}"
    return Part(
        f"topic {topic}",
        (*topics, "create", topic, project),
        (*topics, "describe", topic, project, "--format=none"),
    )


def _pubsub_roles(options: Options) -> Iterator[Part]:
    """Who publishes and pulls what. Nobody may make or delete anything, or pull what somebody else does.

    Pub/Sub's own account moves dead letters, and signs what it pushes as our account for that:
    https://cloud.google.com/pubsub/docs/handling-failures#grant_forwarding_permissions
    https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
    """
    itself = f"serviceAccount:service-{options.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    bot, airflow = _member(options, BOT), _member(options, AIRFLOW)
    for topic, member in ((DELIVERIES, bot), (PARKED, bot), (PARKED, itself), (EVENTS, airflow)):
        yield _pubsub_role(options, "topics", topic, "publisher", member)
    for subscription, member in ((DELIVERIES, bot), (DELIVERIES, itself), (EVENTS, bot)):
        yield _pubsub_role(options, "subscriptions", subscription, "subscriber", member)
    for name in (DELIVERIES, PARKED, EVENTS):  # for `python -m bot doctor`
        yield _pubsub_role(options, "topics", name, "viewer", bot)
        yield _pubsub_role(options, "subscriptions", name, "viewer", bot)
    yield _account_role(options, PUSHER, "roles/iam.serviceAccountTokenCreator", itself)


def _pubsub_role(options: Options, kind: str, name: str, role: str, member: str) -> Part:
    whole = options.topic(name)
    project = f"--project={options.project}"
    return Part(
        f"{member} has pubsub.{role} for {kind.removesuffix('s')} {whole}",
        (
            *("gcloud", "pubsub", kind, "add-iam-policy-binding", whole, project),
            *(f"--member={member}", f"--role=roles/pubsub.{role}", "--format=none"),
        ),
        needs=("gcloud", "pubsub", kind, "describe", whole, project, "--format=none")
        if kind == "subscriptions"
        else (),
    )


def _project_role(options: Options, name: str, role: str) -> Part:
    return Part(
        f"{name} has {role}",
        (
            *("gcloud", "projects", "add-iam-policy-binding", options.project),
            *(f"--member={_member(options, name)}", f"--role={role}", "--condition=None", "--format=none"),
        ),
    )


def _account_role(options: Options, name: str, role: str, member: str) -> Part:
    return Part(
        f"{member} has {role} for {name}",
        (
            *("gcloud", "iam", "service-accounts", "add-iam-policy-binding", _email(options, name)),
            *(f"--project={options.project}", f"--member={member}", f"--role={role}", "--format=none"),
        ),
    )


def _identities(options: Options) -> Iterator[Part]:
    """How pods become these accounts: as Kubernetes accounts, or by keys.

    Whatever runs in a pod can become what the pod's account may. With Airflow's LocalExecutor the code of
    pull requests runs in the scheduler's pod: there only the bot has an identity of its own.
    """
    for name, accounts in KUBERNETES_ACCOUNTS.items():
        if options.keys is not None:
            yield _key(options, name, options.keys / f"{name}.json")
        elif name == BOT or options.executor == "kubernetes":
            for account in accounts:
                member = f"serviceAccount:{options.project}.svc.id.goog[{options.namespace}/{account}]"
                yield _account_role(options, name, "roles/iam.workloadIdentityUser", member)


def _key(options: Options, name: str, file: Path) -> Part:
    create = ("gcloud", "iam", "service-accounts", "keys", "create", str(file))
    account = (f"--iam-account={_email(options, name)}", f"--project={options.project}")
    return Part(f"key {file}", (*create, *account), makes=file)


def _email(options: Options, name: str) -> str:
    return address(name, options.project)


def _member(options: Options, name: str) -> str:
    return f"serviceAccount:{_email(options, name)}"
