"""The shapes of well-known secrets. To have Preflight strike out another one, add a row to SHAPES.

Every pattern is linear on hostile input: it starts at a literal or a boundary, repeats one character class
possessively or a bounded number of times, and is tried only on lines that hold one of its anchors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """A secret's pattern, tried where one of `anchors` (in lower case) occurs. Group 1 is kept."""

    anchors: tuple[str, ...]
    pattern: re.Pattern[str]


def _shape(anchors: str, pattern: str, *, flags: int = 0) -> Shape:
    return Shape(tuple(anchors.split()), re.compile(pattern, re.ASCII | flags))


# Where a token may begin: not inside a word, but after an escaped line end or percent-encoded character.
_AFTER_ESCAPE = r"(?<=\\[nrt])|(?<=\\u00[0-9A-Fa-f]{2})|(?<=%[0-9A-Fa-f]{2})"
_EDGE = rf"((?:(?<![A-Za-z0-9])|{_AFTER_ESCAPE}))"


def _token(anchors: str, pattern: str) -> Shape:
    return _shape(anchors, _EDGE + pattern)


# `password = "..."`, `--token=...`, `"client_secret": "..."`. Words are no secrets (`token=required`,
# `password: str`), nor are variables, calls and paths: the value has a digit and a letter.
_KEYS = r"(?:api|access|secret|auth|account|encryption)[_-]?key"
_NAMES = rf"passw(?:or)?d|passphrase|secret|token|{_KEYS}"
_VALUE = (
    r"(?![\w.]{0,64}[(\[])(?!\.{0,2}/[\w.-]{1,64}/)"
    r"(?=[\w.~+/=!@#%^*-]{0,64}?[0-9])(?=[\w.~+/=!@#%^*-]{0,64}?[A-Za-z])[\w+/][\w.~+/=!@#%^*-]{5,}+"
)
_ASSIGNED = "password passwd passphrase secret token key"

SHAPES = (
    _token("ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[\w.-]{16,}+"),  # GitHub
    _shape("github_pat_", r"()github_pat_\w{16,}+"),
    _shape("pft_", r"()pft_[0-9a-f]{8,}+"),  # our own tickets, whole or cut
    _shape("::add-mask::", r"(::add-mask::).++"),  # what GitHub Actions are told to hide
    _token("glpat- glrt- gldt- glcbt- glptt-", r"gl(?:pat|rt|dt|cbt|ptt)-[\w.-]{16,}+"),  # GitLab
    _token("aiza", r"AIza[\w-]{35}"),  # Google API key
    _token("ya29.", r"ya29\.[\w.-]{16,}+"),  # Google access token
    _token("1//0", r"1//0[\w-]{20,}+"),  # Google refresh token
    _token("gocspx-", r"GOCSPX-[\w-]{20,}+"),  # Google client secret
    _shape("private_key", r'("private_key(?:_id)?\\?"\s*+:\s*+\\?")[^"]{8,}+'),  # Google service account
    _token("akia asia abia acca", r"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),  # AWS
    _shape(
        "secret session_token sessiontoken",
        r"(aws_?(?:secret(?:_?access)?_?key|session_?token)\\?[\"']?\s*+[:=]\s*+\\?[\"']?)[\w/+=]{16,}+",
        flags=re.IGNORECASE,
    ),
    _shape(
        "secretaccesskey sessiontoken",
        r"((?:SecretAccessKey|SessionToken)\\?[\"']?\s*+[:=]\s*+\\?[\"']?)[\w/+=]{16,}+",
    ),
    _shape("accountkey= sharedaccesskey=", r"((?:Account|SharedAccess)Key=)[\w/+=]{16,}+"),  # Azure
    _shape(
        "sig= signature= x-amz-security-token=",  # addresses that open a door by themselves
        r"([?&](?:sig|X-Amz-Signature|X-Goog-Signature|X-Amz-Security-Token)=)[\w%/+=.-]{16,}+",
        flags=re.IGNORECASE,
    ),
    _token("xox", r"xox[a-z](?:\.xox[a-z])?-[\w.-]{10,}+"),  # Slack
    _token("xapp-", r"xapp-[\w-]{10,}+"),
    _shape("hooks.slack.com/", r"(hooks\.slack\.com/(?:services|workflows|triggers)/)[\w/]{16,}+"),
    _shape("/api/webhooks/", r"(discord(?:app)?\.com/api/webhooks/)[\w/-]{16,}+"),
    _token("npm_", r"npm_[A-Za-z0-9]{36}"),
    _shape("_auth _password", r"((?:^|:)_(?:authToken|auth|password)\s*+=\s*+[\"']?)[\w+/=.-]{8,}+"),
    _token("pypi-age", r"pypi-AgE[\w-]{16,}+"),
    _token("rubygems_", r"rubygems_[0-9a-f]{32,}+"),
    _token("sk_ rk_ whsec_", r"(?:[sr]k_(?:live|test)|whsec)_\w{16,}+"),  # Stripe
    _token("sk-", r"sk-(?:ant|proj|svcacct)-[\w-]{16,}+"),  # model providers
    _token("hf_", r"hf_[A-Za-z]{30,}+"),  # Hugging Face
    _token("sg.", r"SG\.[\w-]{16,}+\.[\w-]{16,}+"),  # SendGrid
    _token("dckr_", r"dckr_[po]at_[\w-]{16,}+"),  # Docker
    _token("hvs. hvb.", r"hv[sb]\.[\w-]{24,}+"),  # Vault
    _shape(".atlasv1.", r"()[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,}+"),  # Terraform
    _token("dop_v1_ doo_v1_", r"do[op]_v1_[0-9a-f]{32,}+"),  # DigitalOcean
    _token("glsa_ glc_", r"gl(?:sa|c)_[\w+/=]{24,}+"),  # Grafana
    _token("age-secret-key-", r"AGE-SECRET-KEY-1[A-Z0-9]{50,}+"),
    _shape("eyj", rf"((?<![\w-])|{_AFTER_ESCAPE})eyJ[\w-]{{8,}}+(?:\.[\w-]{{8,}}+){{1,4}}(?:\.[\w-]*+)?"),
    _shape("ls0tls1crudjti", r"()LS0tLS1CRUdJTi[\w+/=]{16,}+"),  # base64 of "-----BEGIN ": a key in YAML
    _shape("://", r"(://[^\s/:@]*+:)[^\s/\"'<>`]+(?=@|…$)"),  # scheme://user:password@host
    _shape(
        "authorization",
        r"(authorization\\?[\"']?\s*+[:=]\s*+\\?[\"']?(?:bearer|basic|token|digest|negotiate|apikey)\s++)"
        r"[\w.~+/=-]{6,}+",
        flags=re.IGNORECASE,
    ),
    _shape("bearer", r"(\bbearer\s++)[\w.~+/=-]{20,}+", flags=re.IGNORECASE),
    _shape(
        "x-api-key private-token x-auth-token x-vault-token",
        r"((?:x-api-key|private-token|x-auth-token|x-vault-token)\\?[\"']?\s*+[:=]\s*+\\?[\"']?)"
        r"[\w.~+/=-]{6,}+",
        flags=re.IGNORECASE,
    ),
    _shape(
        _ASSIGNED,
        rf"((?:{_NAMES})\\?[\"']?\s{{0,4}}=(?!=)\s{{0,4}}\\?[\"']?){_VALUE}",
        flags=re.IGNORECASE,
    ),
    _shape(
        _ASSIGNED,  # with a colon only where it is no prose: `unexpected token: name1` is none
        rf"((?:(?:{_NAMES})\\?[\"']|passw(?:or)?d|passphrase|{_KEYS}|(?<=[_-])(?:token|secret))"
        rf"\s{{0,4}}:\s{{0,4}}\\?[\"']?){_VALUE}",
        flags=re.IGNORECASE,
    ),
    _shape("password passwd", r"(^(?:export )?\w*?PASSW(?:OR)?D=[\"']?)(?![$<{*\[])[^\s\"']{6,}+"),
)
"""Tokens first, then what stands beside a name that gives it away."""
