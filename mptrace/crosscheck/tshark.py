"""Packets as tshark decodes them, through pyshark, with the nesting and place of every field."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from xml.etree.ElementTree import Element

_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that XML 1.0 has no place for, and that tshark may print of hostile packets."""


class CrosscheckError(Exception):
    """tshark is missing, or could not read the capture; the text says which."""


@dataclass(frozen=True, slots=True)
class WiresharkField:
    """A field or a protocol in tshark's tree of a packet."""

    name: str
    """Wireshark's filter name; "" for a mere heading."""
    text: str
    """What Wireshark's detail pane shows."""
    show: str | None
    """The value as display filters compare it."""
    value: str | None
    """The octets as hexadecimal; of a field narrower than its octets, its own bits."""
    offset: int
    length: int
    """0: computed, no octet of the packet holds it."""
    hidden: bool
    children: tuple[WiresharkField, ...]

    def walk(self) -> Iterator[WiresharkField]:
        """This field and all below it, in Wireshark's order."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class WiresharkPacket:
    """One packet as tshark decodes it."""

    frame_number: int
    layers: tuple[WiresharkField, ...]
    """Protocols, outermost first; the first one says when and where it was captured."""

    def walk(self) -> Iterator[WiresharkField]:
        """Every field of every layer, in Wireshark's order."""
        for layer in self.layers:
            yield from layer.walk()


def tshark_version() -> str:
    """The version of tshark.

    Raises:
        CrosscheckError: there is no tshark.
    """
    return _version_of(_tshark_path())


def _tshark_path() -> str:
    """Of the tshark on the PATH, and no other.

    pyshark would also run whatever a config.ini in the current folder names.
    """
    path = shutil.which("tshark")
    if path is None:
        raise CrosscheckError("tshark cannot be run: it is not on the PATH")
    return path


@cache
def _version_of(path: str) -> str:
    try:
        said = subprocess.run([path, "-v"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise CrosscheckError(f"tshark cannot be run: {error}") from error
    found = re.search(r"\d+\.\d+\.\d+", said)
    if found is None:
        raise CrosscheckError(f"tshark cannot be run: {path} -v does not say its version")
    return found.group()


def wireshark_tree(path: str | os.PathLike[str], frame_number: int) -> WiresharkPacket:
    """Wireshark's full tree of one packet, with all that it knows from the packets before.

    Raises:
        CrosscheckError: there is no tshark, or no such packet.
        FileNotFoundError: there is no such file.
    """
    found = list(wireshark_packets(path, display_filter=f"frame.number == {frame_number}"))
    if not found:
        raise CrosscheckError(f"{os.fspath(path)}: tshark finds no packet {frame_number}")
    return found[0]


def field_values(
    path: str | os.PathLike[str], fields: Sequence[str], display_filter: str = ""
) -> Iterator[tuple[str, ...]]:
    """Some fields of every packet as tshark prints them: faster than trees by far.

    A field that a packet has several times gives its last one; "" where it is missing.

    Raises:
        CrosscheckError: there is no tshark, or it reads nothing of the capture.
    """
    command = [_tshark_path(), "-n", "-r", os.fspath(path), "-T", "fields", "-E", "occurrence=l"]
    for field in fields:
        command += ["-e", field]
    if display_filter:
        command += ["-Y", display_filter]
    given = 0
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        for line in process.stdout or ():
            given += 1
            yield tuple(line.rstrip("\n").split("\t"))
        if process.wait() and not given:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip().splitlines()
            raise CrosscheckError(f"{os.fspath(path)}: {said[-1] if said else 'tshark failed'}")


def wireshark_packets(
    path: str | os.PathLike[str], display_filter: str, protocols: str | None = None
) -> Generator[WiresharkPacket]:
    """The packets that a display filter picks, one by one, in the order of the capture.

    Args:
        path: the capture.
        display_filter: Wireshark's.
        protocols: names of those to decode in full (fewer are faster), None for all.

    Raises:
        CrosscheckError: there is no tshark, or it reads nothing of the capture.
        FileNotFoundError: there is no such file.
    """
    import asyncio

    only = [] if protocols is None else ["-J", protocols]
    # An event loop of our own: pyshark's default touches the process-wide one, with calls that
    # Python 3.12 and later warn of.
    loop = asyncio.new_event_loop()
    given = 0
    try:
        capture = _tree_capture_class()(
            os.fspath(path),
            keep_packets=False,
            display_filter=display_filter,
            eventloop=loop,
            custom_parameters=only,
        )
        with capture, closing(iter(capture)) as packets:
            for packet in packets:
                given += 1
                yield packet
        # After some packets, the file is only damaged further on: what came before counts.
        if capture.failed and not given:
            raise CrosscheckError(f"{os.fspath(path)}: {capture.last_error}")
    finally:
        loop.run_until_complete(asyncio.sleep(0))  # transports close one turn after their pipes
        loop.close()


def _tree_capture_class() -> Any:
    """Pyshark's FileCapture, but for packets that keep their tree (pyshark's own flatten it)."""
    from packaging.version import Version
    from pyshark.capture.file_capture import FileCapture
    from pyshark.tshark.output_parser.tshark_xml import TsharkXmlParser

    class TreeParser(TsharkXmlParser):  # type: ignore[misc]
        def _parse_single_packet(self, packet: bytes) -> WiresharkPacket:
            return _packet(packet)

    class TreeCapture(FileCapture):  # type: ignore[misc]
        failed = False

        def _get_tshark_path(self) -> str:
            return _tshark_path()

        def _get_tshark_version(self) -> Version:
            return Version(_version_of(_tshark_path()))

        @property
        def last_error(self) -> str:
            return self._last_error_line or "tshark reads nothing of it"

        def _setup_tshark_output_parser(self) -> TreeParser:
            return TreeParser()

        async def _cleanup_subprocess(self, process: Any) -> None:
            # pyshark kills a tshark that has just ended by itself, takes that for a crash and
            # logs it: at the end of its output, wait for its own exit status instead.
            self._running_processes.discard(process)
            if self._eof_reached:
                self.failed = await process.wait() != 0
            else:
                await super()._cleanup_subprocess(process)
                # Its pipe is still full and nobody reads on; asyncio has no public way to close it.
                process._transport.close()  # noqa: SLF001

    return TreeCapture


def _packet(xml: bytes) -> WiresharkPacket:
    """One ``<packet>`` of tshark's PDML."""
    from xml.etree import ElementTree as ET

    text = _NOT_XML.sub("", xml.decode(errors="replace"))
    try:
        root = ET.fromstring(text)  # noqa: S314 - tshark wrote it: no entities, no DTD
    except ET.ParseError as error:
        raise CrosscheckError(f"tshark's output is no XML: {error}") from error
    layers = tuple(_field(element) for element in root)
    number = next(
        field.show
        for layer in layers
        if layer.name == "geninfo"
        for field in layer.children
        if field.name == "num"
    )
    return WiresharkPacket(int(number or 0), layers)


def _field(element: Element) -> WiresharkField:
    attributes = element.attrib
    name, show = attributes.get("name", ""), attributes.get("show")
    return WiresharkField(
        name=name,
        text=attributes.get("showname") or show or name,
        show=show,
        value=attributes.get("value"),
        offset=int(attributes.get("pos") or 0),
        length=int(attributes.get("size") or 0),
        hidden=attributes.get("hide") == "yes",
        children=tuple(_field(child) for child in element),
    )
