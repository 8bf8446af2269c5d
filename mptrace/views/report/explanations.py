"""The definitions as HTML: a page of their own at the end of the report, and links to them."""

from __future__ import annotations

import re
from html import escape

from mptrace.views import definitions


def link(term: str) -> str:
    """A link to a term's definition; the page's script opens it in place."""
    slug = definitions.definitions()[term].slug
    return (
        f'<a class="def" href="#def-{slug}" title="What is: {escape(term)}?" '
        f'aria-label="Definition: {escape(term)}">?</a>'
    )


def label_links() -> dict[str, str]:
    """The link behind each label of a table."""
    return {label: link(term) for label, term in definitions.LABELS.items()}


def section() -> str:
    """All definitions, each with an id that links lead to."""
    parts = ['<section id="definitions" class="definitions"><h2>What each figure means</h2>']
    known = definitions.definitions()
    for number, (heading, blocks) in enumerate(definitions.sections()):
        slug = known[heading].slug
        parts.append(f'<div class="entry" id="def-{slug}" data-term="{escape(heading)}">')
        if number:  # the first heading is the page's own title
            parts.append(f"<h3>{escape(heading)}</h3>")
        opened = False
        for block in blocks:
            term = re.match(r"\*\*([^*]+?)\.?\*\*", block)
            if term:
                parts.append("</div>" * opened)
                slug = known[term[1]].slug
                parts.append(f'<div class="entry" id="def-{slug}" data-term="{escape(term[1])}">')
                opened = True
            parts.append(_block(block))
        parts.append("</div>" * (1 + opened))
    parts.append("</section>")
    return "".join(parts)


def _block(block: str) -> str:
    lines = block.split("\n")
    if not lines[0].startswith("|"):
        return f"<p>{_inline(' '.join(lines))}</p>"
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    head = "".join(f'<th scope="col">{_inline(cell)}</th>' for cell in rows[0])
    body = "".join(
        "<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in row) + "</tr>" for row in rows[2:]
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _inline(text: str) -> str:
    """Bold, emphasis and code; of links to other pages the words stay."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", escape(text, quote=False))
    text = re.sub(r"`([^`]*)`", r"<code>\1</code>", text)
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    return re.sub(r"\*([^*]+)\*", r"<em>\1</em>", text)
