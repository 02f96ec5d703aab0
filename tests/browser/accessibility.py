"""Scripts that look at a page as somebody would who can't look at it."""

from __future__ import annotations

from pathlib import Path

CHECKS = (Path(__file__).parent / "accessibility.js").read_text().rstrip().removesuffix(";")
"""Headings, names, labels, tables, links, ids and contrasts: a list of complaints."""

TOO_WIDE = """[...document.querySelectorAll("body *")].filter((one) =>
  one.getBoundingClientRect().right > innerWidth && !one.closest(".wide, .unseen, .sprite, pre"))
  .map((one) => one.outerHTML.slice(0, 120))"""
"""What reaches beyond the screen's right edge."""

FOCUS = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  return {
    what: one === document.body ? "" : one.outerHTML.replace(/\\s+/g, " ").slice(0, 100),
    outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
    shown: one.checkVisibility({ visibilityProperty: true }) && one.getBoundingClientRect().top >= 0,
  };
}"""
"""What has the focus, how thick the line around it is, and whether it can be seen."""
