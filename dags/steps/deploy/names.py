"""Types of command-line arguments: what may name or shape a cluster, checked before it gets near a cloud."""

import argparse
import re
from collections.abc import Callable

_SECONDS = {"m": 60, "h": 3600, "d": 86_400}
_LONGEST_LIFETIME = 30 * 86_400
_MAX_LABEL = 63
_ACCELERATOR = frozenset(
    {"type", "count", "gpu-driver-version", "gpu-partition-size", "gpu-sharing-strategy"}
    | {"max-shared-clients-per-gpu"}
)


def _named(what: str, pattern: str, rule: str) -> Callable[[str], str]:
    """Return a type for texts that match `pattern` as a whole; `rule` says the same in words."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise argparse.ArgumentTypeError(f"{text!r} can't be a {what}: {rule}")
        return text

    return check


_DNS = "small letters, digits and '-'"
cluster = _named(
    "cluster's name",
    r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?",
    f"{_DNS}, at most 40, beginning with a letter, not ending with '-'",
)
namespace = _named(
    "namespace", r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", f"{_DNS}, at most 63, no '-' at either end"
)
release = _named(
    "release's name", r"[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?", f"{_DNS}, at most 53, no '-' at either end"
)
project = _named(
    "project", r"[a-z][-a-z0-9.:]{4,61}[a-z0-9]", "the id of a Google Cloud project, like my-project-1"
)
zone = _named("zone", r"[a-z]+(-[a-z]+)+[0-9]+-[a-z0-9]+", "like us-central1-a")
region = _named("region", r"[a-z]+(-[a-z]+)+[0-9]+", "like us-central1")
machine_type = _named("machine type", r"[a-z][a-z0-9]*(-[a-z0-9]+)+", "like n1-standard-4")
account = _named(
    "service account",
    r"[a-z0-9][-a-z0-9]{0,61}[a-z0-9]@([a-z0-9][-a-z0-9]*\.)+gserviceaccount\.com",
    "its address, like nodes@my-project-1.iam.gserviceaccount.com",
)
version = _named(
    "version", r"latest|[0-9]+(\.[0-9]+){0,2}(-gke\.[0-9]+)?", "latest, 1.32 or 1.32.4-gke.1415000"
)
image = _named("node image", r"[A-Za-z0-9][A-Za-z0-9./:@_-]{0,254}", "a container image")
bucket = _named(
    "bucket", r"[a-z0-9][-_.a-z0-9]{1,61}[a-z0-9]", "small letters, digits, '-', '_' and '.', 3 to 63 of them"
)
setting = _named("setting", r"[^-=\s][^=\s]*=.*", "KEY=VALUE, where KEY is a path in the chart's values")


def label(text: str) -> tuple[str, str]:
    """Return key and value of `KEY=VALUE`, as both Google Cloud and Kubernetes allow them."""
    key, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[a-z]([-_a-z0-9]{0,61}[a-z0-9])?", key):
        raise argparse.ArgumentTypeError(
            f"{text!r} can't be a label: KEY=VALUE, the key of small letters, digits, '-' and '_', "
            f"at most {_MAX_LABEL}, beginning with a letter"
        )
    if value != label_value(value):
        raise argparse.ArgumentTypeError(
            f"{value!r} can't be a label's value: small letters, digits, '-' and '_', at most {_MAX_LABEL}, "
            "with a letter or digit at either end"
        )
    return key, value


def label_value(text: str) -> str:
    """Return free text, such as a user's name or a run's id, as the value of a label."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower())[:_MAX_LABEL].strip("-_")


def address(name: str, project: str) -> str:
    """Return the address of a project's service account; of `example.com:name` the domain comes last."""
    domain, _, short = project.rpartition(":")
    return f"{name}@{'.'.join(filter(None, (short, domain)))}.iam.gserviceaccount.com"


def bucket_of(name: str, project: str) -> str:
    """Return what a bucket of a project is called where nobody says otherwise."""
    return f"{re.sub('[.:]', '-', project)}-{name}"


def lifetime(text: str) -> int:
    """Return seconds of `90m`, `4h` or `2d`."""
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 0 < seconds <= _LONGEST_LIFETIME:
        raise argparse.ArgumentTypeError(f"{text!r} is no lifetime: like 90m, 4h or 2d, at most 30d")
    return seconds


def seconds(text: str) -> float:
    """Return a number of seconds, zero or more."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return float(text)


def count(text: str) -> int:
    """Return a number of nodes or accelerators."""
    if not re.fullmatch(r"[1-9][0-9]{0,3}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no count: 1 to 9999")
    return int(text)


def accelerator(text: str) -> str:
    """Return what gcloud wants of accelerators, from `nvidia-tesla-t4:2` or its own `type=...,count=...`.

    GKE installs their driver, unless `gpu-driver-version` says otherwise.
    """
    kind, _, number = text.partition(":")
    given = dict(each.partition("=")[::2] for each in text.split(",")) if "=" in text else {"type": kind}
    wanted = {"type": "", "count": number or "1", "gpu-driver-version": "default"} | given
    if unknown := sorted(wanted.keys() - _ACCELERATOR):
        raise argparse.ArgumentTypeError(f"{text!r} has the unknown key {unknown[0]!r}")
    plain = all(re.fullmatch(r"[a-z0-9][a-z0-9.-]*", value) for value in wanted.values())
    if not plain or not re.fullmatch(r"[1-9][0-9]?", wanted["count"]):
        raise argparse.ArgumentTypeError(f"{text!r} is no accelerator: like nvidia-tesla-t4:1")
    return ",".join(f"{key}={value}" for key, value in wanted.items())
