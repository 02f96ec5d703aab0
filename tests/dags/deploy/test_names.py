import argparse
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.deploy import names
from steps.deploy.clusters import Found, is_expired, labels_for, why_not_ours

CHECKS = {
    "cluster": names.cluster,
    "namespace": names.namespace,
    "release": names.release,
    "project": names.project,
    "zone": names.zone,
    "region": names.region,
    "machine_type": names.machine_type,
    "account": names.account,
    "bucket": names.bucket,
    "version": names.version,
    "image": names.image,
    "setting": names.setting,
    "label": names.label,
    "lifetime": names.lifetime,
    "seconds": names.seconds,
    "count": names.count,
    "accelerator": names.accelerator,
}
GOOD = [
    ("cluster", "tf-k8s-0a1b2c3d4e5f"),
    ("namespace", "0-namespace"),
    ("project", "example.com:my-project"),
    ("zone", "us-central1-a"),
    ("zone", "us-central1-ai1a"),
    ("region", "northamerica-northeast1"),
    ("machine_type", "n2-custom-4-8192-ext"),
    ("account", "preflight-nodes@my-project.example.com.iam.gserviceaccount.com"),
    ("bucket", "my-project-preflight"),
    ("account", "123456789012-compute@developer.gserviceaccount.com"),
    ("version", "1.32.4-gke.1415000"),
    ("version", "latest"),
    ("image", "kindest/node:v1.32.2@sha256:0f"),
    ("setting", "image.args[0]=--x=y z"),
]
BAD = [
    ("cluster", ""),
    ("cluster", "-x"),
    ("cluster", "x-"),
    ("cluster", "1x"),
    ("cluster", "X"),
    ("cluster", "a" * 41),
    ("cluster", "a\n"),
    ("cluster", "--quiet"),
    ("namespace", "a.b"),
    ("namespace", "a" * 64),
    ("release", "a" * 54),
    ("project", "../x"),
    ("zone", "us-central1"),
    ("region", "us-central1-a"),
    ("machine_type", "n1 standard"),
    ("account", "nodes"),
    ("bucket", "gs://x"),
    ("bucket", "-x-"),
    ("account", "nodes@evil.example"),
    ("account", "--x@p.iam.gserviceaccount.com"),
    ("version", "1.32; rm"),
    ("image", "-x"),
    ("setting", "--x=y"),
    ("setting", "=y"),
    ("setting", "x"),
    ("label", "novalue"),
    ("label", "Key=x"),
    ("label", "key=X"),
    ("label", "key=-x"),
    ("lifetime", "4"),
    ("lifetime", "0h"),
    ("lifetime", "31d"),
    ("seconds", "-1"),
    ("seconds", "nan"),
    ("count", "0"),
    ("accelerator", "count=1"),
    ("accelerator", "nvidia-tesla-t4:0"),
    ("accelerator", "nvidia-tesla-t4:1,x"),
    ("accelerator", "type=t4,evil=1"),
    ("accelerator", "type="),
]


@pytest.mark.parametrize(("what", "text"), GOOD)
def test_what_may_be_named(what: str, text: str) -> None:
    assert CHECKS[what](text) == text


@pytest.mark.parametrize(("what", "text"), BAD)
def test_what_may_not(what: str, text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"can't be|is no |unknown key"):
        CHECKS[what](text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90m", 5400), ("4h", 14_400), ("2d", 172_800), ("30d", 2_592_000)]
)
def test_lifetimes(text: str, seconds: int) -> None:
    assert names.lifetime(text) == seconds


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("nvidia-tesla-t4", "type=nvidia-tesla-t4,count=1,gpu-driver-version=default"),
        ("nvidia-l4:2", "type=nvidia-l4,count=2,gpu-driver-version=default"),
        (
            "type=nvidia-l4,gpu-driver-version=disabled",
            "type=nvidia-l4,count=1,gpu-driver-version=disabled",
        ),
    ],
)
def test_accelerators(text: str, wanted: str) -> None:
    assert names.accelerator(text) == wanted


@given(st.text())
def test_any_text_becomes_a_label_value(text: str) -> None:
    value = names.label_value(text)
    assert re.fullmatch(r"([a-z0-9]([-_a-z0-9]{0,61}[a-z0-9])?)?", value)
    assert names.label(f"key={value}") == ("key", value)


@given(owner=st.text(), run=st.text())
def test_what_we_label_is_ours(owner: str, run: str) -> None:
    found = Found("c1", "RUNNING", "ready", labels_for(owner, run, 1000.4, {"team": "infra"}))
    assert why_not_ours(found, run) == ""
    assert is_expired(found, 1001)
    assert not is_expired(found, 1000)


@pytest.mark.parametrize("expires", ["", "soon", "-1", "1e3", "\u0663"])
def test_without_a_time_that_can_be_read_nothing_expires(expires: str) -> None:
    assert not is_expired(Found("c1", "RUNNING", "ready", {"expires": expires}), 2_000_000_000)
