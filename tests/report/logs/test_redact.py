from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.policy.operator import SecretPattern
from bot.report.logs.clean import HALF, MARGIN, cleaned
from bot.report.logs.excerpt import excerpt
from bot.report.logs.redact import Redactor, redact
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
    "GitLab runner": "glrt-" + BODY[:20],
    "Stripe webhook": "whsec" + "_" + BODY[:32],
    "Vault": "hvs" + "." + BODY[:24],
    "Terraform": BODY[:14] + ".atlasv1." + BODY[:60],
    "DigitalOcean": "dop_" + "v1_" + "0123456789abcdef" * 4,
    "Grafana": "glsa" + "_" + BODY[:32],
    "Slack rotated": "xoxe" + ".xoxp-1-" + BODY,
    "encrypted JWT": ".".join(("eyJ" + "hbGciOiJSU0EtT0FFUCJ9", *[BODY[:22]] * 4)),
    "private key in base64": base64.b64encode(f"{BEGIN}\n{KEY_LINE}".encode()).decode(),
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
        pytest.param(
            "discord.com/api/webhooks/" + "123456789012345678/" + BODY,
            "discord.com/api/webhooks/[redacted]",
            id="Discord webhook",
        ),
        pytest.param("::add-mask::s3cr3t", "::add-mask::[redacted]", id="a mask"),
        pytest.param(
            "https://b.example/x?X-Amz-Signature=" + BODY + "&a=1",
            "https://b.example/x?X-Amz-Signature=[redacted]&a=1",
            id="signed address",
        ),
        pytest.param(
            '"SecretAccessKey": "' + BODY[:40] + '"', '"SecretAccessKey": "[redacted]"', id="AWS JSON"
        ),
        pytest.param("password=hunter2", "password=[redacted]", id="password"),
        pytest.param("--db-password='hunt3r two'", "--db-password='[redacted] two'", id="option"),
        pytest.param("PGPASSWORD=correcthorse", "PGPASSWORD=[redacted]", id="words in the environment"),
        pytest.param("export DB_PASSWORD=correcthorse", "export DB_PASSWORD=[redacted]", id="exported words"),
        pytest.param("password: hunter2", "password: [redacted]", id="YAML"),
        pytest.param("client_secret: a1b2c3d4e5", "client_secret: [redacted]", id="YAML, a longer name"),
        pytest.param('{"token":"a1b2c3d4e5","n":1}', '{"token":"[redacted]","n":1}', id="JSON"),
        pytest.param(
            '"{\\"token\\": \\"a1b2c3d4e5\\"}"', '"{\\"token\\": \\"[redacted]\\"}"', id="JSON in JSON"
        ),
        pytest.param("GET /x?access_token=a1b2c3d4&y=1", "GET /x?access_token=[redacted]&y=1", id="query"),
        pytest.param("API_KEY=a1b2-c3d4-e5f6", "API_KEY=[redacted]", id="API key"),
        pytest.param("api-key: a1b2-c3d4-e5f6", "api-key: [redacted]", id="API key in a header"),
        pytest.param("export GITHUB_TOKEN=a1b2c3d4e5f6", "export GITHUB_TOKEN=[redacted]", id="variable"),
    ],
)
def test_a_secret_is_hidden_and_the_rest_stays(written: str, shown: str) -> None:
    assert redact(written) == shown


@pytest.mark.parametrize(
    "text",
    [
        "FAILED tests/test_tokens.py::test_ghp_prefix - assert 1 == 2",
        "FAILED tests/test_login.py::test_password - AssertionError: assert 'token' in response",
        "highp_precision_float_value",
        "commit 1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d",
        "pypi-attestations-0.0.27 installed",
        "self._auth = BearerAuthentication(session)",
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----",
        "the bearer of bad news",
        "eyJ is how JSON starts in base64",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
        "run 550e8400-e29b-41d4-a716-446655440000 finished",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
        "cache hit: Linux-pip-3f1c0a9b2d4e5f60718293a4b5c6d7e8",
        "key: Linux-node-20-9f86d081884c7d65",
        "SyntaxError: Unexpected token: name4you at line 3",
        "Unexpected token '}' in JSON at position 12",
        "def get(self, token: str | None = None) -> Token:",
        "password: required",
        "password=None, token=None",
        "connect(user=user, password=settings.password)",
        "token = secrets.token_urlsafe(32)",
        "token=os.environ['TOKEN1']",
        "assert token == 'a1b2c3d4'",
        "PASSWORD=$PASSWORD1 ./run.sh",
        "PASSWORD=${PASSWORD:-none}",
        "token=***",
        "--token-file=/run/secrets/token1",
        "token=/run/secrets/token1",
        "max_tokens=4096 pad_token_id=50256",
        "secret/widgets-tls-1 created",
        "primary_key: user_id2",
        "http://localhost:8080/a@b and git@github.example:acme/widgets.git",
        "AIza is how they begin, AKIA too, and xoxb-",
        "x-request-id: 9f86d081884c7d65",
        "Authorization: Bearer $TOKEN",
        "/srv/runner/work/_temp/1a2b3c4d-5e6f-7081-92a3-b4c5d6e7f809.sh",
        "gh_release_notes_generator_v2 and ghp_short",
        "sk-learn 1.5 and sk_test",
        "https://hooks.slack.example/services",
        "npm_config_registry=https://registry.example/",
        "integrity sha1-2jCbwzPNzqHbqMsnXJJC1DgRz3M=",
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
            [BEGIN.replace("RSA", "OPENSSH"), KEY_LINE, END.replace("RSA", "OPENSSH"), "next"],
            ["[redacted]", "next"],
            id="SSH",
        ),
        pytest.param(
            [
                BEGIN.replace("RSA PRIVATE KEY", "PGP PRIVATE KEY BLOCK"),
                "Version: 1",
                "",
                KEY_LINE,
                "=aB3d",
                END.replace("RSA PRIVATE KEY", "PGP PRIVATE KEY BLOCK"),
                "next",
            ],
            ["[redacted]", "next"],
            id="PGP",
        ),
        pytest.param(
            ['"private_key": "' + BEGIN + "\\n" + KEY_LINE + "\\n" + END + '\\n",'],
            ['"private_key": "[redacted]",'],
            id="a service account's",
        ),
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
        pytest.param("hunter2", "hun\rter2 and \rmore", "[redacted] and \rmore", id="split by a return"),
        pytest.param("hunter2", "h\u200bunter\u202e2", "[redacted]", id="split by what can't be seen"),
        pytest.param("p+ss w/rd", "u=p%2bss%20w%2frd", "u=[redacted]", id="in small letters"),
        pytest.param("p+ss w/rd", "u=p%2Bss+w%2Frd", "u=[redacted]", id="as a form spells it"),
        pytest.param('p"ss\\word', 'x "p\\"ss\\\\word"', 'x "[redacted]"', id="as JSON spells it"),
        pytest.param("pässwörd", '"p\\u00e4ssw\\u00f6rd"', '"[redacted]"', id="as ASCII JSON"),
        pytest.param("p<ss>&word", "v='p&lt;ss&gt;&amp;word'", "v='[redacted]'", id="as HTML spells it"),
        pytest.param("hunter2-or-so", "aHVudGVyMi1vci1zbw==", "[redacted]w==", id="in base64"),
        pytest.param("redacted", "[redacted]", "[redacted]", id="our own word is none"),
        pytest.param("hunter2-or-so", "is hunter2-o…", "is [redacted]…", id="cut off"),
        pytest.param("hunter2-or-so", "is hun…", "is hun…", id="hardly begun"),
        pytest.param("short", "in short: no", "in short: no", id="under 6 characters is not looked for"),
        pytest.param("first-line\nsecond-line", "a second-line b", "a [redacted] b", id="each line of it"),
    ],
)
def test_our_own_secrets_are_hidden(secret: str, written: str, shown: str) -> None:
    assert redact(written, [secret]) == shown


def test_the_longer_of_two_secrets_is_hidden_whole() -> None:
    assert redact("abcdef-ghijkl", ["abcdef", "abcdef-ghijkl"]) == "[redacted]"


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_nor_does_base64_save_ours_wherever_it_stands_in_it(before: bytes, after: bytes) -> None:
    secret = b"s3cr3t-of-mine"
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        written = encode(before + secret + after).decode()
        head, found, tail = redact(written, [secret.decode()]).partition("[redacted]")
        assert found
        assert len(head) <= -(-len(before) * 8 // 6)
        assert len(tail) <= len(written) - (len(before) + len(secret)) * 8 // 6


@pytest.mark.parametrize(
    ("pattern", "written", "shown"),
    [
        pytest.param("acme-[0-9]{4}", "a acme-1234 b acme-5678", "a [redacted] b [redacted]", id="all of it"),
        pytest.param("key ([0-9]+)", "the key 1234!", "the key [redacted]!", id="its first group"),
        pytest.param("(?i)ACME|zoo", "Acme's Zoo, zoo", "[redacted]'s [redacted], [redacted]", id="a flag"),
        pytest.param("ä+", "bääb", "b[redacted]b", id="beyond ASCII"),
        pytest.param("x*", "abc", "abc", id="nothing is no secret"),
        pytest.param("acme-1", "ac\rme-1", "[redacted]", id="split by a return"),
        pytest.param("a.c", "a.c abc", "[redacted] [redacted]", id="no literal"),
    ],
)
def test_what_the_operator_calls_secret_is_hidden(pattern: str, written: str, shown: str) -> None:
    assert redact(written, [SecretPattern(pattern)]) == shown


def test_a_pattern_and_a_literal_of_one_spelling_differ() -> None:
    assert redact("a.c.e. abcdef", ["a.c.e."]) == "[redacted] abcdef"
    assert redact("a.c.e. abcdef", [SecretPattern("a.c.e.")]) == "[redacted] [redacted]"


def test_secrets_that_overlap_are_hidden_together() -> None:
    assert redact("xabcdefghijx", ["abcdefg", "efghij"]) == "x[redacted]x"


PLANTED = st.sampled_from(["s3cr3t-of-mine", *sorted(SHAPES.values())])
SURROUNDINGS = st.one_of(hostile_text, st.integers(0, 70_000).map(lambda length: "word " * (length // 5)))


@given(st.lists(hostile_text, max_size=5), SURROUNDINGS, PLANTED, SURROUNDINGS, st.integers(1, 20))
def test_no_secret_gets_into_what_is_shown_of_a_log(
    lines: list[str], before: str, secret: str, after: str, limit: int
) -> None:
    log = [*lines, f"error: {before} {secret} {after}", *lines, f"{before}\r {secret} \r{after}"]
    mine = ["s3cr3t-of-mine"]
    for shown in (excerpt(log, limit, secrets=mine), excerpt(log, secrets=mine), cleaned(log, mine)):
        assert secret not in "\n".join(shown)


@pytest.mark.parametrize("cut", [HALF, HALF + MARGIN])
@pytest.mark.parametrize("after", range(0, 50, 7))
def test_no_part_of_a_secret_is_left_where_a_huge_line_is_cut(cut: int, after: int) -> None:
    token = " ghp_" + BODY[:36] + " "
    for position in (cut - after, 100_000 - cut - after):
        line = ("word " * 20_000)[:position] + token + ("word " * 20_000)[position:]
        (shown,) = cleaned([line])
        assert "ghp_a" not in shown
        assert BODY[4:16] not in shown


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
        "1//0", "hooks.slack.com/services/", "%3DeyJ", "//r/:_auth= ", "token=", "token=a", "password: a",
        '"token": "1', "PASSWORD=", "::add-mask::", "?sig=", "hvs.", ".atlasv1.", "LS0tLS1CRUdJTi", "a\r",
    ],
)  # fmt: skip
def test_a_hostile_line_takes_linear_time(fragment: str) -> None:
    """300 kB: what were quadratic would take an hour and meet the timeout."""
    shown = redact((fragment * (300_000 // len(fragment) + 1))[:300_000])
    assert len(shown) < 600_000


def test_base64_of_a_header_is_covered() -> None:
    encoded = base64.b64encode(b"x-access-token:abc123").decode()
    assert encoded not in redact(f"http.extraheader=AUTHORIZATION: basic {encoded}")
