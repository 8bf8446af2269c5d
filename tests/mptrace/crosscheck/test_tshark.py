"""Packets through pyshark: whole trees, one packet, errors; and that a wrong decode is noticed."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from mptrace.capture import open_capture
from mptrace.commands import main
from mptrace.crosscheck import (
    CrosscheckError,
    differences,
    field_values,
    stream_differences,
    tshark_version,
    wireshark_packets,
    wireshark_tree,
)
from mptrace.crosscheck.comparison import packet_differences

DSS = bytes.fromhex("1e1a200f1111111111111112222222222222222200000001000a")

Write = Callable[[Iterable[tuple[bytes, int]]], Path]


@pytest.fixture
def dss_capture(ip_packet: Callable[..., bytes], write_capture: Write) -> Path:
    packets = [ip_packet(b""), ip_packet(DSS), ip_packet(DSS)]
    return write_capture((octets, len(octets)) for octets in packets)


@pytest.mark.tshark
def test_wireshark_tree_is_the_whole_packet_with_places(dss_capture: Path) -> None:
    packet = wireshark_tree(dss_capture, 2)
    assert packet.frame_number == 2
    assert [layer.name for layer in packet.layers][:5] == ["geninfo", "frame", "raw", "ip", "tcp"]
    tcp = packet.layers[4]
    assert tcp.text.startswith("Transmission Control Protocol, Src Port: 40000")
    (option,) = (field for field in tcp.walk() if field.name == "mptcp")
    assert (option.offset, option.length) == (40, 26)
    places = {
        field.name: (field.offset, field.length, field.value, field.show)
        for field in option.children
    }
    assert places["tcp.options.mptcp.rawdataack"] == (
        44, 8, "1111111111111112", str(0x1111111111111112),
    )  # fmt: skip
    assert places["tcp.options.mptcp.rawdataseqno"][:3] == (52, 8, "2222222222222222")
    assert any(field.hidden for field in packet.walk())


@pytest.mark.tshark
def test_no_such_packet(dss_capture: Path) -> None:
    with pytest.raises(CrosscheckError, match="finds no packet 9"):
        wireshark_tree(dss_capture, 9)


@pytest.mark.tshark
def test_a_reader_that_stops_early_leaves_nothing_behind(dss_capture: Path) -> None:
    packets = wireshark_packets(dss_capture, "tcp")
    assert next(packets).frame_number == 1
    packets.close()  # a warning of an open transport or loop would fail the test


@pytest.mark.tshark
def test_what_tshark_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "text.pcap"
    path.write_text("no capture at all")
    with pytest.raises(CrosscheckError, match="text"):
        list(wireshark_packets(path, "tcp"))
    with pytest.raises(CrosscheckError, match="text"):
        list(field_values(path, ["frame.number"]))
    with pytest.raises(FileNotFoundError):
        list(wireshark_packets(tmp_path / "missing.pcap", "tcp"))


def test_a_tshark_that_does_not_say_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "tshark"
    program.write_text("#!/bin/sh\necho nothing\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CrosscheckError, match="does not say its version"):
        tshark_version()
    program.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(CrosscheckError, match="cannot be run"):
        tshark_version()


@pytest.mark.tshark
def test_a_config_file_in_the_folder_names_no_program(
    dss_capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.ini"
    config.write_text(f"[tshark]\ntshark_path = {tmp_path / 'other'}\n")
    other = tmp_path / "other"
    other.write_text("#!/bin/sh\nexit 3\n")
    other.chmod(0o755)
    monkeypatch.setattr("pyshark.config.fp_config_path", config)
    assert wireshark_tree(dss_capture, 2).frame_number == 2


@pytest.mark.tshark
def test_a_damaged_end_keeps_what_came_before(dss_capture: Path) -> None:
    octets = dss_capture.read_bytes()
    dss_capture.write_bytes(octets[:-5])
    assert [packet.frame_number for packet in wireshark_packets(dss_capture, "tcp")] == [1, 2]
    assert list(field_values(dss_capture, ["frame.number", "tcp.port"])) == [
        ("1", "5001"), ("2", "5001"),
    ]  # fmt: skip


def test_without_tshark(
    dss_capture: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CrosscheckError, match="tshark cannot be run"):
        tshark_version()
    with pytest.raises(CrosscheckError, match="tshark cannot be run"):
        wireshark_tree(dss_capture, 1)
    with pytest.raises(CrosscheckError, match="tshark cannot be run"):
        list(field_values(dss_capture, ["frame.number"]))
    assert main.run(["crosscheck", os.fspath(dss_capture)]) == 2
    assert capsys.readouterr().err.startswith("mptrace: tshark cannot be run")


@pytest.mark.tshark
def test_a_wrong_decode_of_any_octet_is_noticed(dss_capture: Path) -> None:
    theirs = wireshark_tree(dss_capture, 2)
    with open_capture(dss_capture) as capture:
        record = capture.packet(2)
    right = packet_differences(record, theirs)
    assert {difference.explained for difference in right} == {"reserved_bits_unnamed"}
    for place in range(len(DSS)):
        octets = bytearray(record.octets)
        octets[40 + place] ^= 0x10 if place == 2 else 0x01  # the last bits of octet 2 are reserved
        found = packet_differences(replace(record, octets=bytes(octets)), theirs)
        assert any(one.explained != "reserved_bits_unnamed" for one in found), place


@pytest.mark.tshark
def test_a_packet_that_one_side_lacks_is_a_difference(dss_capture: Path) -> None:
    theirs = wireshark_tree(dss_capture, 2)
    with open_capture(dss_capture) as capture:
        record = capture.packet(2)
    for found in (packet_differences(record, None), packet_differences(None, theirs)):
        (difference,) = found
        assert (difference.field, difference.option_offset) == ("", 40)
        assert difference.explained is None


@pytest.mark.tshark
def test_packets_are_matched_by_number(dss_capture: Path) -> None:
    found = list(differences(dss_capture))
    assert {difference.frame_number for difference in found} == {2, 3}
    assert {difference.explained for difference in found} == {"reserved_bits_unnamed"}


@pytest.mark.tshark
def test_streams_by_port_reuse_and_without_options(
    ip_packet: Callable[..., bytes], write_capture: Write
) -> None:
    def opened(seq: int, options: bytes) -> bytes:
        packet = bytearray(ip_packet(options, flags=0x02))
        packet[24:28] = struct.pack(">I", seq)
        return bytes(packet)

    # v0: the key is in the SYN
    one, other = (bytes.fromhex("1e0c0001" + key * 8) for key in ("aa", "bb"))
    packets = [opened(1, one), opened(5000, b""), opened(90000, other), ip_packet(b"")]
    path = write_capture((octets, len(octets)) for octets in packets)
    found = list(stream_differences(path))
    assert [(each.frame_number, each.field, each.explained) for each in found] == [
        (4, "mptcp.stream", "no_option")
    ]


@pytest.mark.tshark
def test_the_command(dss_capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["crosscheck", os.fspath(dss_capture)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"tshark {tshark_version()} beside mptrace\n")
    assert "\n       2 reserved_bits_unnamed\n" in shown
    assert shown.endswith("       0 unexplained\n")


@pytest.mark.tshark
def test_the_command_shows_what_no_name_explains(
    dss_capture: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mptrace.crosscheck.comparison.explanation", lambda _: None)
    assert main.run(["crosscheck", os.fspath(dss_capture)]) == 1
    assert "packet 2, tcp.options.mptcp.reserved: mptrace 0x0 at 42:2, tshark absent" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize("name", ["-", "missing.pcap"])
def test_the_command_needs_a_file(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["crosscheck", name]) == 2
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1
    assert not shown.out
