"""Every figure of the data plane against a reading of docs/definitions.md octet by octet.

Random transfers over up to three subflows, with TCP retransmissions, remapped and reinjected data,
long and missing mappings, partial acknowledgements and octets that nobody captured, are written
as captures; the reference counts single octets in dictionaries and knows nothing of columns.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mptrace
from mptrace.analysis.model import ConnectionDirection, Distribution, SubflowDirection


@dataclass
class Copy:
    subflow: int
    position: int
    frame: int
    kind: str


@dataclass
class Segment:
    subflow: int
    position: int
    length: int
    frame: int


@dataclass
class Expected:
    """One direction of the connection, octet by octet."""

    segments: list[Segment] = field(default_factory=list)
    mappings: list[tuple[int, int, int, int]] = field(default_factory=list)
    """(subflow, position, relative DSN, length) in order of announcement."""
    acks: dict[int, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    """Per subflow: (frame, position) of the ACKs for this direction."""
    data_acks: list[tuple[int, int]] = field(default_factory=list)

    def place(self, subflow: int, position: int) -> int | None:
        """The relative DSN of an octet: what the mapping announced first says."""
        for owner, start, data, length in self.mappings:
            if owner == subflow and start <= position < start + length:
                return data + position - start
        return None

    def acked_in(self, subflow: int, position: int) -> int | None:
        return next((f for f, ack in self.acks[subflow] if ack > position), None)

    def data_acked_in(self, octet: int) -> int | None:
        return next((f for f, ack in self.data_acks if ack > octet), None)

    def evaluate(self) -> dict[str, Any]:
        copies: dict[int, list[Copy]] = defaultdict(list)
        figures: Counter[str] = Counter()
        by_subflow: dict[int, Counter[str]] = defaultdict(Counter)
        late: list[tuple[int, list[int]]] = []
        flights = [0]
        subflow_flights: dict[int, list[int]] = defaultdict(lambda: [0])
        highest = 1
        highest_position: dict[int, int] = defaultdict(lambda: 1)
        for segment in self.segments:
            own = by_subflow[segment.subflow]
            first_here: list[int] = []
            mapped = False
            for position in range(segment.position, segment.position + segment.length):
                own["payload"] += 1
                octet = self.place(segment.subflow, position)
                if octet is None:
                    own["unmapped"] += 1
                    continue
                mapped = True
                highest = max(highest, octet + 1)
                kind = self._kind(copies[octet], segment, position)
                own[kind] += 1
                if kind == "first":
                    first_here.append(octet)
                if kind == "reinjection":
                    self._judge_reinjection(
                        figures, by_subflow, copies[octet], segment, position, octet
                    )
                copies[octet].append(Copy(segment.subflow, position, segment.frame, kind))
            missing = [
                [below for below in range(1, octet) if not copies.get(below)]
                for octet in sorted(first_here)
            ]
            disordered = [gaps for gaps in missing if gaps]
            if disordered:
                late.append((segment.frame, disordered[0]))
                figures["out_of_order_octets"] += len(disordered)
                figures["max_extent"] = max(figures["max_extent"], len(disordered[0]))
                late[-1] = (segment.frame, max(disordered, key=len))
            if mapped:
                acked = max((a for f, a in self.data_acks if f <= segment.frame), default=1)
                flights.append(highest - acked)
            acks = self.acks[segment.subflow]
            acked = max((a for f, a in acks if f <= segment.frame), default=1)
            end = segment.position + segment.length
            highest_position[segment.subflow] = max(highest_position[segment.subflow], end)
            subflow_flights[segment.subflow].append(highest_position[segment.subflow] - acked)
        copies = defaultdict(list, {octet: c for octet, c in copies.items() if c})
        first_frame = {octet: c[0].frame for octet, c in copies.items()}
        delays = []
        for frame, gaps in late:
            if all(gap in first_frame for gap in gaps):
                delays.append(max(first_frame[gap] for gap in gaps) - frame)
            else:
                figures["never_filled"] += 1
        highest_acked = max((a for _, a in self.data_acks), default=1)
        top = max(highest, highest_acked)
        figures["missing"] = sum(octet not in copies for octet in range(1, top))
        figures["unique"] = len(copies)
        figures["out_of_order_packets"] = len(late)
        for octet_copies in copies.values():
            self._delivered(by_subflow, octet_copies)
        return {
            "figures": figures,
            "by_subflow": by_subflow,
            "acked": highest_acked - 1,
            "delays_ms": delays,
            "flight": max(flights),
            "subflow_flight": {s: max(f) for s, f in subflow_flights.items()},
            "rtts_ms": {s: self._rtts(s) for s in range(3)},
            "data_rtts_ms": self._data_rtts(copies),
        }

    @staticmethod
    def _kind(earlier: list[Copy], segment: Segment, position: int) -> str:
        if not earlier:
            return "first"
        same_subflow = [c for c in earlier if c.subflow == segment.subflow]
        if any(c.position == position for c in same_subflow):
            return "retransmission"
        return "remapped" if same_subflow else "reinjection"

    def _judge_reinjection(
        self,
        figures: Counter[str],
        by_subflow: dict[int, Counter[str]],
        earlier: list[Copy],
        segment: Segment,
        position: int,
        octet: int,
    ) -> None:
        by_subflow[earlier[0].subflow]["caused"] += 1
        covered = self.data_acked_in(octet)
        if covered is not None and covered < segment.frame:
            figures["spurious"] += 1
            return
        never = 1 << 40
        own = self.acked_in(segment.subflow, position) or never
        others = [self.acked_in(c.subflow, c.position) or never for c in earlier]
        figures["useful" if own < min(others) else "redundant"] += 1

    def _delivered(self, by_subflow: dict[int, Counter[str]], copies: list[Copy]) -> None:
        acked = [(self.acked_in(c.subflow, c.position), i) for i, c in enumerate(copies)]
        known = [(frame, i) for frame, i in acked if frame is not None]
        if known:
            by_subflow[copies[min(known)[1]].subflow]["delivered"] += 1

    def _rtts(self, subflow: int) -> list[int]:
        segments = [s for s in self.segments if s.subflow == subflow]
        sent = Counter(p for s in segments for p in range(s.position, s.position + s.length))
        found = []
        for s in segments:
            if all(sent[p] == 1 for p in range(s.position, s.position + s.length)):
                acked = self.acked_in(subflow, s.position + s.length - 1)
                if acked is not None and acked > s.frame:
                    found.append(acked - s.frame)
        return found

    def _data_rtts(self, copies: dict[int, list[Copy]]) -> list[int]:
        ends = {data + length - 1 for _, _, data, length in self.mappings}
        found = []
        for octet in ends:
            if len(copies.get(octet, ())) == 1:
                acked = self.data_acked_in(octet)
                if acked is not None and acked > copies[octet][0].frame:
                    found.append(acked - copies[octet][0].frame)
        return found


# --- random transfers ---------------------------------------------------------------------------

send = st.tuples(
    st.just("send"),
    st.integers(0, 2),  # subflow
    st.integers(0, 1),  # direction
    st.sampled_from([0, 0, 0, 0, 4, -4, -8, -12]),  # relative DSN, from the highest so far
    st.integers(1, 12) | st.just(4),  # length
    st.sampled_from(["exact", "exact", "exact", "long", "none", "later"]),
    st.booleans(),  # 8-octet numbers
)
again = st.tuples(
    st.just("again"),
    st.integers(0, 2),
    st.integers(0, 1),
    st.integers(0, 40),  # which earlier segment
    st.integers(0, 6),  # octets cut at its front
    st.integers(1, 16),  # length
)
ack = st.tuples(
    st.just("ack"),
    st.integers(0, 2),
    st.integers(0, 1),  # direction of the data that it acknowledges
    st.sampled_from([100, 100, 70, 0]),  # percent of what was sent
    st.sampled_from([100, 100, 50, None]),  # percent of the data
    st.booleans(),
)
lost = st.tuples(st.just("lost"), st.integers(0, 2), st.integers(0, 1), st.integers(1, 5))
actions = st.lists(send | send | send | send | again | ack | ack | lost, min_size=4, max_size=40)


def perform(story: Any, plan: list[tuple[Any, ...]], isn: tuple[int, int]) -> list[Expected]:
    """Write the plan as packets, and note what the definitions are applied to."""
    expected = [Expected(), Expected()]
    subflows = [story.open(isn), story.join((isn[1], isn[0])), story.join()]
    next_position = [[1, 1] for _ in subflows]
    highest_data = [1, 1]

    def acked(subflow: int, direction: int) -> int:
        """What a segment of ``direction`` acknowledges: nothing new."""
        past = expected[1 - direction].acks[subflow]
        return max((a for _, a in past), default=1)

    def write(subflow: int, direction: int, position: int, length: int, options: list[Any]) -> int:
        frame: int = story.segment(
            subflows[subflow], direction, 8, position, acked(subflow, direction), options,
            bytes(length),
        )  # fmt: skip
        if length:
            expected[direction].segments.append(Segment(subflow, position, length, frame))
        return frame

    for action in plan:
        kind, subflow, direction, *rest = action
        mine = expected[direction]
        position = next_position[subflow][direction]
        if kind == "send":
            jump, length, style, wide = rest
            data = max(1, highest_data[direction] + jump)
            options = []
            if style != "none":
                mapped = length + (7 if style == "long" else 0)
                start = position + (3 if style == "later" else 0)
                mine.mappings.append((subflow, start, data, mapped))
                options = [story.signal(direction, mapping=(data, start, mapped), wide=wide)]
                highest_data[direction] = max(highest_data[direction], data + mapped)
            else:
                # the peer's DATA_ACK so far: every packet of a connection in order has a DSS
                options = [story.signal(direction, data_ack=1, wide=wide)]
                expected[1 - direction].data_acks.append((story.frame + 1, 1))
            write(subflow, direction, position, length, options)
            next_position[subflow][direction] += length
        elif kind == "again":
            which, cut, length = rest
            earlier = [s for s in mine.segments if s.subflow == subflow]
            if earlier:
                old = earlier[which % len(earlier)]
                start = old.position + min(cut, old.length - 1)
                length = min(length, position - start)
                write(subflow, direction, start, length, [])
        elif kind == "ack":
            percent, data_percent, wide = rest
            ack = 1 + (position - 1) * percent // 100
            options = []
            frame = story.frame + 1
            if data_percent is not None:
                data_ack = 1 + (highest_data[direction] - 1) * data_percent // 100
                options = [story.signal(1 - direction, data_ack=data_ack, wide=wide)]
                mine.data_acks.append((frame, data_ack))
            mine.acks[subflow].append((frame, ack))
            story.segment(
                subflows[subflow], 1 - direction, 0, next_position[subflow][1 - direction], ack,
                options,
            )  # fmt: skip
        else:
            next_position[subflow][direction] += rest[0]
    return expected


def check(distribution: Distribution | None, samples_ms: list[int]) -> None:
    if not samples_ms:
        assert distribution is None
        return
    assert distribution is not None
    assert distribution.samples == len(samples_ms)
    values = np.array(samples_ms) / 1000
    for name, value in (
        ("min", values.min()),
        ("median", np.percentile(values, 50)),
        ("p95", np.percentile(values, 95)),
        ("max", values.max()),
    ):
        assert getattr(distribution, name) == pytest.approx(value), name


def check_direction(direction: ConnectionDirection, wanted: dict[str, Any]) -> None:
    figures, total = wanted["figures"], Counter[str]()
    for own in wanted["by_subflow"].values():
        total.update(own)
    assert direction.unique_octets == figures["unique"]
    assert direction.payload_octets == total["payload"]
    assert direction.unmapped_octets == total["unmapped"]
    assert direction.retransmitted_octets == total["retransmission"]
    assert direction.remapped_octets == total["remapped"]
    assert direction.reinjected_octets.total == total["reinjection"]
    assert direction.reinjected_octets.spurious == figures["spurious"]
    assert direction.reinjected_octets.useful == figures["useful"]
    assert direction.reinjected_octets.redundant == figures["redundant"]
    assert direction.acked_octets == wanted["acked"]
    assert direction.missing_octets == figures["missing"]
    assert direction.out_of_order_packets == figures["out_of_order_packets"]
    assert direction.out_of_order_octets == figures["out_of_order_octets"]
    assert direction.out_of_order_max_extent_octets == figures["max_extent"]
    assert direction.out_of_order_never_filled_packets == figures["never_filled"]
    assert direction.max_data_flight_octets == wanted["flight"]
    check(direction.out_of_order_delay_s, wanted["delays_ms"])
    check(direction.data_rtt_s, wanted["data_rtts_ms"])


def check_subflow(subflow: SubflowDirection, number: int, wanted: dict[str, Any]) -> None:
    own, unique = wanted["by_subflow"][number], wanted["figures"]["unique"]
    assert subflow.payload_octets == own["payload"]
    assert subflow.unmapped_octets == own["unmapped"]
    assert subflow.first_octets == own["first"]
    assert subflow.retransmitted_octets == own["retransmission"]
    assert subflow.remapped_octets == own["remapped"]
    assert subflow.reinjected_octets == own["reinjection"]
    assert subflow.duplicates_caused_octets == own["caused"]
    assert subflow.max_flight_octets == wanted["subflow_flight"].get(number, 0)
    check(subflow.rtt_s, wanted["rtts_ms"][number])
    if unique:
        assert subflow.contribution == pytest.approx(own["first"] / unique)
        assert subflow.delivered_contribution == pytest.approx(own["delivered"] / unique)


@given(
    plan=actions,
    isn=st.sampled_from([(1000, 2000), (2**32 - 20, 2**32 - 5), (2**31 - 10, 0)]),
    key=st.integers(1, 2**64 - 1),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_figures_are_those_of_the_definitions(
    story: Callable[..., Any],
    tmp_path: Path,
    plan: list[tuple[Any, ...]],
    isn: tuple[int, int],
    key: int,
) -> None:
    told = story(client_key=key)
    expected = perform(told, plan, isn)
    (connection,) = told.analyze(tmp_path / "told.pcap")
    assert isinstance(connection, mptrace.analysis.model.Connection)
    for direction, wanted in zip(
        ("client_to_server", "server_to_client"), [e.evaluate() for e in expected], strict=True
    ):
        check_direction(getattr(connection, direction), wanted)
        for subflow in connection.subflows:
            check_subflow(getattr(subflow, direction), subflow.index, wanted)
