"""mptrace dissect: what it shows, in text and JSON, and that no packet whatever breaks it."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissector.field_tree import Field
from mptrace.analysis.packets.mptcp_packets import all_packet_records, mptcp_packet_records
from mptrace.analysis.packets.packet_tree import PacketTree, packet_tree
from mptrace.capture import open_capture
from mptrace.capture.records import Interface, PacketRecord
from mptrace.capture.writer import PcapWriter
from mptrace.commands import dissect, main
from mptrace.commands.errors import CommandError
from mptrace.views.packet import json_line, text_lines

SAMPLES = Path(__file__).parents[3] / "samples"
LINK_TYPES = (0, 1, 9, 12, 50, 51, 101, 105, 108, 113, 127, 192, 228, 229, 276, 4711)
KEY = "0102030405060708"
HASH = hashlib.sha256(bytes.fromhex(KEY)).hexdigest()
TOKEN, INITIAL_DSN = f"0x{HASH[:8]}", f"0x{HASH[-16:]}"


def raw_packet(options: str, payload: bytes = b"") -> bytes:
    area = bytes.fromhex(options)
    area += b"\1" * (-len(area) % 4)
    tcp = struct.pack(">HHIIHHHH", 40000, 5001, 7, 9, (20 + len(area)) // 4 << 12 | 0x18, 500, 0, 0)
    tcp += area + payload
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0x4000, 64, 6, 0)
    return header + bytes((10, 0, 0, 1, 10, 0, 0, 2)) + tcp


def write(path: Path, *packets: tuple[bytes, int]) -> Path:
    with path.open("wb") as file:
        writer = PcapWriter(file, 101)
        for number, (octets, missing) in enumerate(packets):
            writer.write(octets, 1_700_000_000_000_000_001 + number, len(octets) + missing)
    return path


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Five packets: MP_CAPABLE data, none, malformed ADD_ADDR, DSS that the capture cuts, RST."""
    cut = raw_packet("0101080a00000001000000021e1a200f1111111111111112222222222222222200000001000a")
    return write(
        tmp_path / "made.pcap",
        (raw_packet(f"1e160101{KEY}1112131415161718000a", b"0123456789"), 0),
        (raw_packet("02040550"), 0),
        (raw_packet("1e0930020a0000020b"), 0),
        (cut[:65], 15),
        (raw_packet("1e048103"), 0),
    )


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    status = main.run(["dissect", *[os.fspath(argument) for argument in arguments]])
    shown = capsys.readouterr()
    return status, shown.out, shown.err


def test_text(
    made: Path, capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]
) -> None:
    status, out, err = run(capsys, made)
    assert (status, err) == (0, "")
    golden("dissect.txt", out)


def test_packets_with_mptcp_packets_asked_for_and_all(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def numbers(*arguments: str) -> list[int]:
        _, out, _ = run(capsys, made, "--json", *arguments)
        return [json.loads(line)["packet"] for line in out.splitlines()]

    assert numbers() == [1, 3, 4, 5]
    assert numbers("--all") == [1, 2, 3, 4, 5]
    assert numbers("-n", "2", "-n", "4,1", "-n", "3-4") == [2, 4, 1, 3]


def fields(layers: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for field in layers:
        yield field
        yield from fields(field["children"])


def test_json(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, made, "--json", "-n", "1")
    packet = json.loads(out)
    assert list(packet) == [
        "packet", "time", "wire_length", "captured_length", "interface", "link_type", "layers",
    ]  # fmt: skip
    assert packet["time"] == "2023-11-14T22:13:20.000000001Z"
    assert [layer["name"] for layer in packet["layers"]] == ["ip", "tcp", "tcp.payload"]
    found = {field["name"]: field for field in fields(packet["layers"])}
    key = found["tcp.options.mptcp.sendkey"]
    assert (key["value"], key["offset"], key["length"]) == (f"0x{KEY}", 44, 8)
    assert found["tcp.options.mptcp.datalvllen"]["value"] == 10
    assert found["ip.src"]["value"] == "0a000001"
    tokens = [f for f in fields(packet["layers"]) if f["name"] == "mptcp.expected_token"]
    assert (tokens[0]["text"], tokens[0]["length"]) == (TOKEN, 0)
    initial = [f for f in fields(packet["layers"]) if f["name"] == "mptcp.expected_idsn"]
    assert initial[0]["value"] == INITIAL_DSN


def test_what_is_wrong_and_where(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, made, "-n", "3-4")
    malformed = next(line for line in out.splitlines() if "Malformed" in line)
    assert malformed.startswith("   40:9 ")
    assert "ADD_ADDR" in malformed
    assert "(length 9)" in malformed
    cut = next(line for line in out.splitlines() if "Cut" in line)
    assert cut.startswith("   52:13 ")
    assert "   56:8           DATA_ACK: 1229782938247303442" in out
    assert "Data sequence number" not in out.partition("Cut")[2].partition("TCP payload")[0]


def test_damage_is_reported_after_what_was_read(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made.write_bytes(made.read_bytes()[:-3])
    status, out, err = run(capsys, made)
    assert status == 1
    assert out.count("Packet ") == 3
    assert err.startswith(f"mptrace: {made}: damaged at offset ")
    assert err.endswith("; dissected up to there\n")
    assert err.count("\n") == 1
    status, out, err = run(capsys, made, "-n", "5")
    assert (status, out) == (2, "")
    assert err.startswith(f"mptrace: {made}: there is no packet 5 (damaged at offset ")


def test_no_such_packet(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, made, "-n", "6") == (2, "", f"mptrace: {made}: there is no packet 6\n")


def test_not_a_capture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "text"
    path.write_text("no capture")
    status, out, err = run(capsys, path)
    assert (status, out) == (2, "")
    assert err.startswith(f"mptrace: {path}: not a capture file")


@pytest.mark.parametrize(
    "asked", ["", "0", "x", "3-", "-3", "5-3", "1,,2", "1-99999999", "9" * 30, "٣", "1.5"]
)
def test_wrong_packet_numbers(asked: str) -> None:
    with pytest.raises(CommandError, match="-n "):
        dissect.packet_numbers([asked])


def test_packets_and_all_exclude_each_other(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, made, "-n", "1", "--all")[0] == 2


def test_text_of_a_stranger_does_no_harm_on_a_terminal(tmp_path: Path) -> None:
    path = write(tmp_path / "made.pcap", (raw_packet("1e03f1"), 0))
    with open_capture(path) as capture:
        record = capture.packet(1)
    evil = Interface(101, "RAW", 0, "\x1b[2Jwlan\n0", 0)
    shown = list(text_lines(packet_tree(PacketRecord(1, record.octets, 44, 0, evil, 0, 24))))
    assert not any(char in line for line in shown for char in "\x1b\n")


def test_packets_come_out_while_the_capture_is_read(tmp_path: Path) -> None:
    packet = raw_packet("1e048103")
    path = write(tmp_path / "long.pcap", *[(packet, 0)] * 5000)
    for records_of in (mptcp_packet_records, all_packet_records):
        with open_capture(path, chunk_octets=1 << 12) as capture:
            read: list[int] = []
            batches = capture.batches

            def counted(batches: Any = batches, read: list[int] = read) -> Iterator[Any]:
                for batch in batches():
                    read.append(batch.frame_number.size)
                    yield batch

            capture.batches = counted  # type: ignore[method-assign, assignment]
            records = records_of(capture)
            assert next(records).frame_number == 1
            assert sum(read) < 500
            assert [record.frame_number for record in records] == list(range(2, 5001))


def test_several_files_are_one_capture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packets = [(raw_packet("1e048103"), 0)] * 3
    names = [write(tmp_path / name, *packets) for name in ("one.pcap", "two.pcap")]
    _, out, _ = run(capsys, *names, "--json")
    assert [json.loads(line)["packet"] for line in out.splitlines()] == [1, 2, 3, 4, 5, 6]


# --- hostile and cut packets ----------------------------------------------------------------


def walk(tree: PacketTree) -> Iterator[Field]:
    waiting = list(tree.layers)
    while waiting:
        field = waiting.pop()
        yield field
        waiting += field.children


def check(tree: PacketTree) -> None:
    """What holds of every tree: places within the packet, and both views can show it."""
    for field in walk(tree):
        assert field.offset >= 0
        assert field.length >= 0
        has_octets = field.value is not None and field.length > 0
        assert not has_octets or field.offset + field.length <= tree.captured_length, field
    assert "\n" not in "".join(text_lines(tree))
    json.loads(json_line(tree))


def record_of(octets: bytes, link_type: int, missing: int = 0) -> PacketRecord:
    interface = Interface(link_type, str(link_type), 0, None, 0)
    return PacketRecord(1, octets, len(octets) + missing, 0, interface, 0, 24)


def distinct_sample_packets() -> list[PacketRecord]:
    """Packets of all samples, one for each sequence of headers, options and their lengths."""
    found: dict[object, PacketRecord] = {}
    for path in sorted(SAMPLES.glob("*/*.pcap*")):
        with open_capture(path) as capture:
            for number, record in enumerate(all_packet_records(capture)):
                if number >= 60:
                    break
                tree = packet_tree(record)
                shape = tuple((type(option), option.length) for option in tree.options)
                found.setdefault((tree.link_type, tree.layers[1].name, shape), record)
    return list(found.values())


@pytest.fixture(scope="module")
def sample_packets() -> list[PacketRecord]:
    return distinct_sample_packets()


def test_numbers_are_those_of_the_octets(sample_packets: list[PacketRecord]) -> None:
    for record in sample_packets:
        tree = packet_tree(record)
        check(tree)
        for field in walk(tree):
            if field.value is None or not field.length or not isinstance(field.value, int):
                continue
            bits = int.from_bytes(record.octets[field.offset : field.offset + field.length])
            if field.bits is not None:
                first, width = field.bits
                bits = bits >> 8 * field.length - first - width & (1 << width) - 1
            assert bits * field.unit == field.value, field


def test_every_sample_cut_at_every_octet(sample_packets: list[PacketRecord]) -> None:
    """Nothing raises, nothing is claimed of what is not there, what is there stays the same."""
    assert len(sample_packets) > 30
    for record in sample_packets:
        whole = {place(field): field.value for field in walk(packet_tree(record)) if valued(field)}
        end = min(len(record.octets), 140)
        for length in range(end):
            cut = PacketRecord(
                1, record.octets[:length], record.wire_length, 0, record.interface, 0, 24
            )
            tree = packet_tree(cut)
            check(tree)
            for field in walk(tree):
                if valued(field) and field.name != "tcp.options.unknown.payload":
                    assert whole[place(field)] == field.value


def valued(field: Field) -> bool:
    return field.value is not None and field.length > 0


def place(field: Field) -> tuple[str, int, int, tuple[int, int] | None]:
    return field.name, field.offset, field.length, field.bits


@given(st.binary(max_size=120), st.sampled_from(LINK_TYPES), st.integers(0, 2000))
def test_any_octets(octets: bytes, link_type: int, missing: int) -> None:
    check(packet_tree(record_of(octets, link_type, missing)))


@given(data=st.data())
def test_any_change_of_a_packet(data: st.DataObject, sample_packets: list[PacketRecord]) -> None:
    record = data.draw(st.sampled_from(sample_packets))
    octets = bytearray(record.octets)
    for at, value in data.draw(
        st.lists(st.tuples(st.integers(0, min(len(octets), 110) - 1), st.integers(0, 255)),
                 max_size=4)
    ):  # fmt: skip
        octets[at] = value
    kept = data.draw(st.integers(0, len(octets)))
    check(
        packet_tree(record_of(bytes(octets[:kept]), record.interface.link_type, len(octets) - kept))
    )


@given(st.binary(max_size=40), st.binary(max_size=8))
def test_any_option_area(area: bytes, payload: bytes) -> None:
    check(packet_tree(record_of(raw_packet(area.hex(), payload), 101)))
