from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mptrace.views.browsing import plots
from mptrace.views.browsing.canvas import Canvas
from mptrace.views.browsing.opened import OpenedCapture
from mptrace.views.browsing.signalling import heading, ladder_nodes


def array(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def drawn(canvas: Canvas) -> list[str]:
    return ["".join(text for text, _ in canvas.row(i)) for i in range(canvas.height)]


def test_dots_are_those_of_unicode() -> None:
    """U+2800 and the bits of dots 1 to 8, as the Unicode standard numbers them."""
    canvas = Canvas(2, 1)
    canvas.dots(array(0, 1), array(3, 0), 0)  # dot 1, upper left; dot 8, lower right
    assert drawn(canvas) == ["\u2881 "]
    canvas.dots(array(2, 2, 2, 2), array(0, 1, 2, 3), 1)  # dots 7, 3, 2, 1
    assert drawn(canvas) == ["\u2881\u2847"]
    assert canvas.row(0) == [("\u2881", 0), ("\u2847", 1)]


def test_what_is_outside_is_left_out() -> None:
    canvas = Canvas(1, 1)
    canvas.dots(array(-1, 2, 0, 0), array(0, 0, -1, 4), 0)
    canvas.lines(array(-9), array(0), array(-3), array(3), 0)
    assert drawn(canvas) == [" "]


def test_bars_and_lines() -> None:
    canvas = Canvas(2, 2)
    canvas.bars(array(0), array(0), array(99), 0)
    assert drawn(canvas) == ["\u2847 ", "\u2847 "]
    diagonal = Canvas(2, 1)
    diagonal.lines(array(0), array(0), array(3), array(3), 0)
    # dots 7 and 6 in the first character (x 0 and 1), 2 and 4 in the second
    assert drawn(diagonal) == ["\u2860\u280a"]


@pytest.mark.parametrize("kind", plots.KINDS)
def test_every_kind_draws_what_it_has(
    kind: plots.Kind, opened: Callable[[str], OpenedCapture]
) -> None:
    connection = opened("walkout/client.pcap").analysis[0]
    plot = plots.plot(connection, "server_to_client", kind)
    back = plots.plot(connection, "client_to_server", kind)
    assert any(layer.time_ns.size for layer in (*plot.layers, *back.layers))
    for one in (plot, back):
        lines = drawn(one.drawn(60, 12, one.span_ns))
        assert len(lines) == 12
        assert all(len(line) == 60 for line in lines)
        assert one.highest >= one.lowest >= 0
        middle = (one.span_ns[0] + one.span_ns[1]) // 2
        one.drawn(60, 12, (middle, middle + 1000))


def test_the_highest_octet_is_the_last_of_the_data(
    opened: Callable[[str], OpenedCapture],
) -> None:
    connection = opened("walkout/client.pcap").analysis[0]
    for name in ("client_to_server", "server_to_client"):
        side = getattr(connection, name)
        plot = plots.plot(connection, name, "data sequence")
        sent = [layer.value_end for layer in plot.layers if layer.value_end is not None]
        ends = [int(values.max()) for values in sent if values.size]
        assert max(ends, default=1) == side.unique_octets + 1


def test_steps_hold_their_value() -> None:
    layer = plots.Layer("x", None, array(0, 10), array(0, 3), steps=True)
    plot = plots.Plot("in flight", [layer], str, (0, 10), 0, 3)
    lines = drawn(plot.drawn(2, 1, (0, 10)))
    # three columns of dots at the bottom, then up to the top
    assert lines == ["\u28c0\u28f8"]


def test_the_ladder_has_every_event(opened: Callable[[str], OpenedCapture]) -> None:
    connection = opened("walkout/client.pcap").analysis[0]
    nodes = ladder_nodes(connection)
    assert [node.link for node in nodes] == [event.packet for event in connection.events]
    assert "▶" in nodes[0].text
    assert "◀" in nodes[1].text
    assert heading(connection).index("client") == nodes[0].text.index("│")
    for node in nodes:
        first, last = node.link_span
        assert node.text[first:last] == str(node.link)
