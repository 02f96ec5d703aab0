from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.report.redact import Redactor, redact
from tests.report.hostile import hostile_text

# Put together here, so that no scanner takes this file for a leak.
BODY = "a1B2c3D4" * 8
KEY_LINE = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7" + "x" * 12
BEGIN, END = "-----BEGIN RSA PRIVATE " + "KEY-----", "-----END RSA PRIVATE " + "KEY-----"
JWT = ".".join(("eyJ" + "hbGciOiJIUzI1NiJ9", "eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0", BODY[:43]))

SHAPES = {
    **{f"GitHub {kind}": kind + BODY[:36] for kind in ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")},
    "GitHub fine-grained": "github_pat_" + BODY[:22] + "_" + BODY[:59],
    "GitHub installation JWT": "ghs_123_" + JWT,
    "GitLab": "glpat-" + BODY[:20],
    "Google API key": "AIza" + BODY[:35],
    "Google access token": "ya29." + BODY,
    "Google client secret": "GOCSPX-" + BODY[:28],
    "AWS key id": "AKIA" + "ABCDEFGHIJ234567",
    "AWS temporary key id": "ASIA" + "ABCDEFGHIJ234567",
    "Slack bot": "xoxb-" + "123456789012-" + BODY[:24],
    "Slack app": "xapp-" + "1-A0-" + BODY[:24],
    "JWT": JWT,
    "npm": "npm_" + BODY[:36],
    "PyPI": "pypi-" + "AgEIcHlwaS5vcmc" + BODY,
    "Stripe": "sk_" + "live_" + BODY[:24],
    "Hugging Face": "hf_" + "abcdefghij" * 4,
    "SendGrid": "SG." + BODY[:22] + "." + BODY[:43],
    "Docker": "dckr_" + "pat_" + BODY[:27],
}


@pytest.mark.parametrize("secret", SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "token: {} rest",
        "TOKEN={}",
        "TOKEN='{}'",
        '{{"t":"{}"}}',
        "a\\n{}",
        "x%3D{}&y",
        "/{}/",
        "\x1b[31m{}\x1b[0m",
    ],
    ids=["alone", "in a sentence", "assigned", "quoted", "JSON", "escaped line", "URL", "path", "coloured"],
)
def test_a_token_is_hidden_wherever_it_stands(secret: str, around: str) -> None:
    shown = redact(around.format(secret))
    assert secret not in shown
    assert "[redacted]" in shown
    assert shown.startswith(around.split("{}", maxsplit=1)[0][:1].replace("\x1b", "["))


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        pytest.param(
            "git clone https://bot:hunter2@h.example/r",
            "git clone https://bot:[redacted]@h.example/r",
            id="password in a URL",
        ),
        pytest.param("postgresql://u:p@ss:w@db/x", "postgresql://u:[redacted]@db/x", id="password with @"),
        pytest.param(
            "redis://:hunter2@cache:6379", "redis://:[redacted]@cache:6379", id="password without user"
        ),
        pytest.param("http://localhost:8080/a@b", "http://localhost:8080/a@b", id="a port is no password"),
        pytest.param("ssh://git@h.example/r", "ssh://git@h.example/r", id="a user is no password"),
        pytest.param("Authorization: Bearer abcdef123", "Authorization: Bearer [redacted]", id="bearer"),
        pytest.param("authorization: basic dXNlcjpwYXNz", "authorization: basic [redacted]", id="basic"),
        pytest.param(
            '{"Authorization": "token abc123def"}', '{"Authorization": "token [redacted]"}', id="token"
        ),
        pytest.param(
            "-H 'Authorization: Bearer $TOKEN'", "-H 'Authorization: Bearer $TOKEN'", id="a variable"
        ),
        pytest.param("Authorization: required", "Authorization: required", id="a word"),
        pytest.param(
            "aws_secret_access_key = " + BODY[:40], "aws_secret_access_key = [redacted]", id="AWS file"
        ),
        pytest.param(
            "AWS_SECRET_ACCESS_KEY=" + BODY[:40], "AWS_SECRET_ACCESS_KEY=[redacted]", id="AWS environment"
        ),
        pytest.param('"private_key_id": "0123456789abcdef"', '"private_key_id": "[redacted]"', id="key id"),
        pytest.param("//r.example/:_authToken=abcdef1234", "//r.example/:_authToken=[redacted]", id=".npmrc"),
        pytest.param("AccountKey=" + BODY[:40] + "==;x", "AccountKey=[redacted];x", id="Azure"),
        pytest.param(
            "hooks.slack.com/services/" + "T0/B0/" + BODY[:24],
            "hooks.slack.com/services/[redacted]",
            id="Slack webhook",
        ),
    ],
)
def test_a_secret_is_hidden_and_the_rest_stays(written: str, shown: str) -> None:
    assert redact(written) == shown


@pytest.mark.parametrize(
    "text",
    [
        "FAILED tests/test_tokens.py::test_ghp_prefix - assert 1 == 2",
        "highp_precision_float_value",
        "commit 1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d",
        "pypi-attestations-0.0.27 installed",
        "self._auth = BearerAuthentication(session)",
        "-----BEGIN PUBLIC KEY-----",
        "the bearer of bad news",
        "eyJ is how JSON starts in base64",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        pytest.param(
            [BEGIN, KEY_LINE, KEY_LINE, "AbC=", END, "next"], ["[redacted]", "next"], id="whole block"
        ),
        pytest.param(
            [f"key: {BEGIN}", KEY_LINE, f"{END} and more"], ["key: [redacted]", " and more"], id="within text"
        ),
        pytest.param(
            [f"12:00 | {line}" for line in (BEGIN, KEY_LINE, "AbC=", END)] + ["next"],
            ["12:00 | [redacted]", "next"],
            id="prefixed lines",
        ),
        pytest.param(
            [BEGIN, "Proc-Type: 4,ENCRYPTED", "DEK-Info: AES", "", KEY_LINE, END],
            ["[redacted]"],
            id="headers",
        ),
        pytest.param(
            [BEGIN, KEY_LINE, "AbC=", "tests start now", "test_a ok"],
            ["[redacted]", "test_a ok"],
            id="cut off: ends by itself",
        ),
        pytest.param(
            [f"expected {BEGIN}, got nothing", "test failed!"],
            ["expected [redacted]", "test failed!"],
            id="only mentioned",
        ),
        pytest.param(
            [f"{BEGIN}\\n{KEY_LINE}\\n{END}\\n tail"], ["[redacted]\\n tail"], id="in one JSON line"
        ),
        pytest.param(
            [f"{BEGIN}{KEY_LINE}{END} {BEGIN}{KEY_LINE}{END}"],
            ["[redacted] [redacted]"],
            id="twice in a line",
        ),
        pytest.param([f"{BEGIN}\r{KEY_LINE}\r{END}"], ["[redacted]"], id="overwritten by carriage returns"),
        pytest.param(
            [BEGIN, KEY_LINE, END, BEGIN, KEY_LINE, END, "x"],
            ["[redacted]", "[redacted]", "x"],
            id="two keys",
        ),
    ],
)
def test_a_private_key_is_hidden_with_all_its_lines(written: list[str], shown: list[str]) -> None:
    redactor = Redactor()
    assert [line for line in map(redactor.line, written) if line is not None] == shown


@pytest.mark.parametrize(
    ("secret", "written", "shown"),
    [
        pytest.param("hunter2", "it is hunter2!", "it is [redacted]!", id="as it is"),
        pytest.param("hunter2", "it is hun\x1b[1mter2", "it is [redacted]", id="split by a colour"),
        pytest.param("p/ss word", "u=p%2Fss%20word", "u=[redacted]", id="as a URL spells it"),
        pytest.param("short", "in short: no", "in short: no", id="under 6 characters is not looked for"),
        pytest.param("first-line\nsecond-line", "a second-line b", "a [redacted] b", id="each line of it"),
    ],
)
def test_our_own_secrets_are_hidden(secret: str, written: str, shown: str) -> None:
    assert redact(written, [secret]) == shown


def test_the_longer_of_two_secrets_is_hidden_whole() -> None:
    assert redact("abcdef-ghijkl", ["abcdef", "abcdef-ghijkl"]) == "[redacted]"


@given(hostile_text, st.sampled_from(sorted(SHAPES.values())), hostile_text)
def test_no_surroundings_save_a_secret(before: str, secret: str, after: str) -> None:
    assert secret not in redact(f"{before} {secret} {after}")


@given(hostile_text)
def test_redacting_twice_changes_nothing(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "fragment",
    [
        "-", "=", "a", " ", "\t", "A", "\\n", "%3D", "\r", "\x1b[", "\x1b]", "eyJ", "eyJaaaaaaaaaa.eyJ",
        "ghp_", "://", "://a:b", "://x:@y", BEGIN, "-----BEGIN ", "authorization: bearer ", "bearer\t\t",
        "aws_secret_access_key=  ", "SG.aaaaaaaaaaaaaaaaaaaa", "xoxb-", '"private_key":', "sk-ant-", "AKIA",
        "1//0", "hooks.slack.com/services/", "%3DeyJ", "//r/:_auth= ",
    ],
)  # fmt: skip
def test_a_hostile_megabyte_takes_linear_time(fragment: str) -> None:
    """What were quadratic would take hours and meet the timeout."""
    shown = redact((fragment * (1_000_000 // len(fragment) + 1))[:1_000_000])
    assert len(shown) < 2_000_000


def test_base64_of_a_header_is_covered() -> None:
    encoded = base64.b64encode(b"x-access-token:abc123").decode()
    assert encoded not in redact(f"http.extraheader=AUTHORIZATION: basic {encoded}")
