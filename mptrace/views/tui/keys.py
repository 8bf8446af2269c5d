"""What every key does, in words: the help screen and docs/browser.md say the same."""

from __future__ import annotations

from typing import Final, NamedTuple


class Key(NamedTuple):
    """One or several keys, and what they do."""

    keys: str
    does: str


GROUPS: Final[tuple[tuple[str, tuple[Key, ...]], ...]] = (
    (
        "Everywhere",
        (
            Key("1 2 3", "packets, connections, findings"),
            Key("/", "type a display filter; Tab completes, up and down go through the history"),
            Key("Ctrl-L", "remove the filter"),
            Key("Ctrl-G :", "go to a packet by its number"),
            Key("Ctrl-F", "find; Tab chooses words, text, octets or a filter"),
            Key("n N", "next and previous match"),
            Key("Tab Shift-Tab", "next and previous pane"),
            Key("Ctrl-S", "export packets (pcapng), the table (CSV) or the report (HTML)"),
            Key("Ctrl-R", "read the file again"),
            Key("Ctrl-P", "all commands by name; themes"),
            Key("?", "this help"),
            Key("q", "quit"),
        ),
    ),
    (
        "In every list",
        (
            Key("j k, arrows", "down and up"),
            Key("PgUp PgDn, space", "a page up and down"),
            Key("g G, Home End", "first and last"),
            Key("left right, h l", "close and open in a tree; scroll sideways in a table"),
            Key("Enter", "follow the link, open; in the packet list, go to the fields"),
            Key("Esc", "back to the list, or to the screen before"),
        ),
    ),
    (
        "Packets",
        (
            Key("r R", "next and previous packet that repeats data"),
            Key("f F", "next and previous packet that proves a finding"),
            Key("] [", "next and previous packet of the same subflow"),
            Key("} {", "next and previous packet of the same connection"),
            Key("Backspace, Alt-left", "back to where the last jump began; Alt-right forward"),
            Key("m M", "mark the packet; remove all marks"),
            Key("' \"", "next and previous marked packet"),
            Key("t", "times: relative, since the packet above, time of day"),
            Key("T, Ctrl-T", "set or remove a time reference"),
            Key("a", "in the fields: filter for the chosen field"),
            Key("c", "the packet's connection"),
            Key("o", "follow the connection's data"),
        ),
    ),
    (
        "A connection's page",
        (
            Key("1 2 3, Tab", "summary, timeline, signalling"),
            Key("t T", "next and previous kind of timeline"),
            Key("d", "the other direction"),
            Key("left right", "move the cursor; with PgUp and PgDn by ten"),
            Key("+ - 0", "zoom in and out around the cursor; show all"),
            Key("r R", "next and previous repeated data"),
            Key("Enter", "go to the packet at the cursor"),
            Key("o", "follow the data"),
        ),
    ),
    (
        "Data",
        (
            Key("x", "text or hexadecimal"),
            Key("d", "both directions, or one"),
            Key("Ctrl-F /", "find; n and N go on"),
            Key("Enter", "go to the packet that carried the line"),
        ),
    ),
)
