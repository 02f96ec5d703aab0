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
