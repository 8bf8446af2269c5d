from __future__ import annotations

from mptrace.views.browsing.outline import Node, Outline


def forest() -> Outline:
    leaf = Node("leaf", key="leaf", span=(4, 2))
    inner = Node("inner", key="inner", children=(leaf,))
    return Outline([Node("a", key="a", children=(inner,)), Node("b", key="b")])


def texts(outline: Outline) -> list[str]:
    return [f"{'  ' * line.depth}{line.node.text}" for line in outline.lines]


def test_closed_nodes_hide_what_is_below() -> None:
    assert texts(forest()) == ["a", "b"]


def test_opening_and_closing() -> None:
    outline = forest()
    assert outline.toggle(0)
    assert outline.toggle(1)
    assert texts(outline) == ["a", "  inner", "    leaf", "b"]
    assert outline.parent(2) == 1
    assert outline.parent(0) == 0
    assert outline.toggle(0, expanded=False)
    assert texts(outline) == ["a", "b"]
    assert not outline.toggle(0, expanded=False)
    assert not outline.toggle(1)


def test_reveal_opens_the_way_to_the_deepest_match() -> None:
    outline = forest()
    assert outline.reveal(lambda node: node.span is not None) == 2
    assert texts(outline) == ["a", "  inner", "    leaf", "b"]
    assert outline.reveal(lambda node: node.text == "nowhere") is None


def test_children_are_made_when_first_seen() -> None:
    made: list[str] = []

    def below() -> list[Node]:
        made.append("once")
        return [Node("child")]

    outline = Outline([Node("top", key="top", children=below)])
    assert not made
    outline.toggle(0)
    outline.toggle(0)
    outline.toggle(0)
    assert texts(outline) == ["top", "  child"]
    assert made == ["once"]


def test_the_word_of_a_link_is_found_as_a_word() -> None:
    assert Node("0.120463 12 sent", link_text="12").link_span == (9, 11)
    assert Node("packet 12", link_text="12").link_span == (7, 9)
    assert Node("packet 120", link_text="12").link_span == (0, 0)
    assert Node("packet 12").link_span == (0, 0)
