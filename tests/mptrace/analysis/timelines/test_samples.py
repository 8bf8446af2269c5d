"""Series of recorded samples, against what the applications sent and tshark sees."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mptrace
from mptrace.analysis.timelines import timelines_of

NAMES = ("aggregate", "fade", "loss", "mp_fail_multi", "checksum")


@pytest.mark.parametrize("name", NAMES)
def test_series_add_up_to_what_the_applications_sent(root: Path, name: str) -> None:
    folder = root / "samples" / name
    truth: dict[str, Any] = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    sent = {app["side"]: app["sent"] for app in truth["apps"]}
    analysis = mptrace.analyze(folder / "client.pcap")
    (connection,) = analysis
    for direction, side in (("client_to_server", "client"), ("server_to_client", "server")):
        series = timelines_of(connection).direction(direction)  # type: ignore[arg-type]
        strokes = series.stretches()
        first = strokes.kind == 0
        assert int((strokes.end - strokes.start)[first].sum()) == sent[side]
        rates = series.rates()
        assert rates.goodput_bps.sum() * rates.width_ns / 8e9 == pytest.approx(sent[side])
        assert int(series.data_ack().value.max()) == sent[side] + 2  # and the DATA_FIN
        assert series.data_flight().value[-1] == 0


@pytest.mark.tshark
@pytest.mark.parametrize("name", NAMES)
def test_throughput_is_that_of_tshark(root: Path, name: str) -> None:
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    path = root / "samples" / name / "client.pcap"
    fields = ("tcp.stream", "ip.src", "tcp.len", "frame.time_relative")
    wanted = "tcp.len > 0 && tcp.flags.reset == 0"
    command = ["tshark", "-r", str(path), "-T", "fields", "-Y", wanted]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    (connection,) = mptrace.analyze(path)
    series = timelines_of(connection).direction("server_to_client")
    rates = series.rates()
    edges = np.append(rates.start_ns, rates.start_ns[-1] + rates.width_ns)
    for subflow, bps in zip(connection.subflows, rates.throughput_bps, strict=True):
        own = [
            (round(float(time) * 1e9), int(octets))
            for stream, source, octets, time in rows
            if int(stream) == subflow.tcp_stream and source == subflow.server.address
        ]
        expected, _ = np.histogram(
            [time for time, _ in own], edges, weights=[octets for _, octets in own]
        )
        assert bps * rates.width_ns / 8e9 == pytest.approx(expected)
