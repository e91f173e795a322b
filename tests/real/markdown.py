#!/usr/bin/env python3
"""Reads a Markdown report with an independent parser: no image, no script, no link but to https."""
import sys
from markdown_it import MarkdownIt

tokens = MarkdownIt("commonmark", {"html": True}).parse(open(sys.argv[1]).read())
inline = [child for token in tokens for child in (token.children or [])]
assert tokens, "an empty report"
assert not [t for t in inline if t.type == "image"], "an image"
assert all(t.attrGet("href").startswith("https://") for t in inline if t.type == "link_open"), "a foreign link"
assert not [t for t in tokens + inline if t.type.startswith("html") and "script" in t.content], "a script"
