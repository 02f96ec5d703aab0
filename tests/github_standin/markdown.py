"""GitHub-flavoured Markdown as a person sees it: rendered, then stripped of everything that could do harm."""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt

TAGS = nh3.ALLOWED_TAGS | {"details", "summary", "del", "ins", "picture", "source"}
ATTRIBUTES = {
    **nh3.ALLOWED_ATTRIBUTES,
    "code": {"class"},
    "details": {"open"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan"},
}


def render(text: str) -> str:
    """Safe HTML."""
    parser = MarkdownIt("commonmark", {"html": True, "breaks": True}).enable(["table", "strikethrough"])
    html = parser.render(text)
    # Alignment comes as a style, which is not let through.
    for side in ("left", "center", "right"):
        html = html.replace(f'style="text-align:{side}"', f'align="{side}"')
    return nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES)
