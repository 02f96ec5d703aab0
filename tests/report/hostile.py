"""Text as somebody would write it who means harm."""

from __future__ import annotations

from hypothesis import strategies as st

FRAGMENTS = (
    "@octocat", "@acme/admins", "#12", "acme/widgets#12", "GH-12", "acme/widgets@1a2b3c4d5e6f",
    "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d", "1a2b3c4", "https://evil.example/x", "http://evil.example",
    "www.evil.example", "evil@evil.example", "mailto:a@b.example", "xmpp:a@b.example", "ftp://evil.example",
    "![i](http://evil.example/i.png)", "[l](//evil.example)", "[l]: http://evil.example",
    "<http://evil.example>", "<img src=x onerror=alert(1)>", "<script>", "</details>", "<details>",
    "</summary>", "<!-- x -->", "-->", "<a href='//evil.example'>", "&#64;octocat", "&lt;b&gt;", "\\",
    "\\@octocat", "`", "``", "```", "```````", "~~~", "```sh", "|", "\\|", "| a | b |", "|--|", ":tada:",
    ":+1:", "*", "**", "_x_", "~~", "$x$", "$$", "# h", "- [ ] x", "1. x", "1)", "> q", "> [!NOTE]", "---",
    "===", "    code", "\t", "[^1]", "\n", "\r", "\r\n", "\n\n", "\x00", "\x1b[31m",
    "\x1b]8;;http://evil.example\x07", "\x9b1m", "\u202e", "\u2066", "\u200b", "\ufeff", "\u2028", "\x85",
    "\x0b", "\ud800", "\U0001f600", "e\u0301", "\U000e0041", " ", "  ", "word", "exit 1", "a:b:c",
)  # fmt: skip

hostile_text = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join),
    st.lists(st.sampled_from(FRAGMENTS), max_size=12).map(" ".join),
    st.text(alphabet=st.characters(codec=None), max_size=40),
)

OWN_SECRET = "hunter2" + "-literal"

PLANTED = (
    "ghp_" + "a1B2" * 9,  # GitHub
    "github_pat_" + "11ABCDEFG0" * 4,
    "AIza" + "SyD3x4mpl" * 3 + "abcdefgh",  # Google
    "ya29." + "a0AfH6SMB" * 4,
    "AKIA" + "ABCDEFGHIJ234567",  # AWS
    "xoxb-" + "1234567890-abcdef",  # Slack
    "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0" + ".c2lnbmF0dXJlLW9mLWl0",  # JWT
    OWN_SECRET,
)
"""Secrets that no report may show."""

WRAPPED = {
    "https://user:" + "pa55w0rd" + "@db.example/x": "pa55w0rd",
    "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEpAIBAAKCAQEA7bq1" * 3 + "\n-----END RSA PRIVATE KEY-----": (
        "MIIEpAIBAAKCAQEA7bq1"
    ),
}
"""Text by the secret that is in it."""

planted_text = st.lists(
    st.one_of(st.sampled_from(PLANTED), st.sampled_from(sorted(WRAPPED)), st.sampled_from(FRAGMENTS)),
    max_size=5,
).map(" ".join)

free_text = st.one_of(hostile_text, planted_text)
"""Whatever a step, a test or a log may say."""


def assert_keeps_secrets(shown: str) -> None:
    """None of what was planted is there."""
    for secret in (*PLANTED, *WRAPPED.values()):
        assert secret not in shown, secret
