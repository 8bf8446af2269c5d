"""What a filter says of every packet: one mask over the columns of the capture."""

from __future__ import annotations

import operator
from functools import reduce
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mptrace.analysis.filter import bound, octet_search
from mptrace.analysis.filter.columns import Column, packets_of, pairs
from mptrace.analysis.filter.expressions import column_of
from mptrace.analysis.filter.field_types import FieldType

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mptrace.analysis.columns.tables import Bool
    from mptrace.analysis.filter.literals import Literal
    from mptrace.analysis.filter.packet_columns import PacketColumns
    from mptrace.analysis.filter.syntax import Operator

_COMPARE: Final[dict[Operator, Callable[[Any, Any], Any]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SWAPPED: Final[dict[Operator, Operator]] = {
    "==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<=",
}  # fmt: skip
_JOIN: Final = {"and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor}


def evaluate(test: bound.BoundTest, columns: PacketColumns) -> Bool:
    """(packets,): the packets that pass."""
    packets = columns.packets
    match test:
        case bound.BoundJunction():
            masks = (evaluate(part, columns) for part in test.tests)
            result: Bool = reduce(_JOIN[test.operator], masks)
            return result
        case bound.BoundNegation():
            return ~evaluate(test.test, columns)
        case bound.BoundExistence():
            found = column_of(test.value, columns)
            holds = np.ones(len(found), np.bool_)
            if not isinstance(test.value, bound.FieldValue) and test.value.type.is_number:
                holds = found.value != 0
            return packets_of(found.row, holds, packets, every=False)
        case bound.BoundComparison():
            return _comparison(test, columns)
    left = column_of(test.left, columns)
    if isinstance(test, bound.BoundContains):
        holds = _contains(left, test.needle, columns)
    elif isinstance(test, bound.BoundMatches):
        holds = _matches(left, test.pattern, columns)
    else:
        holds = _membership(test, left, columns)
    return packets_of(left.row, holds, packets, every=test.quantifier == "all")


def _comparison(test: bound.BoundComparison, columns: PacketColumns) -> Bool:
    every = test.quantifier == "all"
    if isinstance(test.right, bound.Constant):
        left = column_of(test.left, columns)
        holds = _with_constant(left, test.operator, test.right.literal, columns)
        return packets_of(left.row, holds, columns.packets, every=every)
    right = column_of(test.right, columns)
    if isinstance(test.left, bound.Constant):
        holds = _with_constant(right, _SWAPPED[test.operator], test.left.literal, columns)
        return packets_of(right.row, holds, columns.packets, every=every)
    left = column_of(test.left, columns)
    of_left, of_right = pairs(left, right)
    holds = _each(left.take(of_left), test.operator, right.take(of_right), test.left.type, columns)
    return packets_of(left.row[of_left], holds, columns.packets, every=every)


def _with_constant(
    column: Column, symbol: Operator, constant: Literal, columns: PacketColumns
) -> Bool:
    """(m,): which values of the column compare so with a constant.

    Of octets the longer are greater, as in Wireshark.
    """
    compare = _COMPARE[symbol]
    value = constant.value
    result: Bool
    if isinstance(value, bytes):
        if symbol in {"==", "!="}:
            result = octet_search.equal(columns.capture, column, value) == (symbol == "==")
            return result
        return octet_search.compared(
            columns.capture,
            column,
            lambda octets: bool(compare((len(octets), octets), (len(value), value))),
        )
    if isinstance(value, str):
        return _by_name(column, lambda name: bool(compare(name, value)))
    if constant.type is FieldType.IPV6:
        return _ipv6_with_constant(column.value, symbol, value, constant.prefix)
    if constant.type is FieldType.IPV4:
        mask = (1 << 32) - (1 << 32 - constant.prefix)
        result = compare(column.value & mask, value & mask)
        return result
    result = compare(column.value, value)
    return result


def _by_name(column: Column, judge: Callable[[str], bool]) -> Bool:
    """What is said of texts, asked once for each different one."""
    verdict = np.array([judge(name) for name in column.names], np.bool_)
    if not verdict.size:
        return np.zeros(len(column), np.bool_)
    result: Bool = verdict[column.value]
    return result


def _ipv6_with_constant(value: NDArray[Any], symbol: Operator, address: int, prefix: int) -> Bool:
    mask = (1 << 128) - (1 << 128 - prefix)
    low = (1 << 64) - 1
    wanted = np.array([[(address & mask) >> 64, address & mask & low]], np.uint64)
    masked = value.reshape(-1, 2).astype(np.uint64) & np.array([mask >> 64, mask & low], np.uint64)
    return _halves(masked, symbol, np.broadcast_to(wanted, masked.shape))


def _halves(left: NDArray[np.uint64], symbol: Operator, right: NDArray[np.uint64]) -> Bool:
    """Addresses of two halves, the high one first."""
    same = left[:, 0] == right[:, 0]
    result: Bool
    if symbol in {"==", "!="}:
        result = (same & (left[:, 1] == right[:, 1])) == (symbol == "==")
        return result
    compare = _COMPARE[symbol]
    strict = _COMPARE["<" if symbol in {"<", "<="} else ">"]
    result = np.where(same, compare(left[:, 1], right[:, 1]), strict(left[:, 0], right[:, 0]))
    return result


def _each(
    left: Column, symbol: Operator, right: Column, kind: FieldType, columns: PacketColumns
) -> Bool:
    """(m,): values compared one with one."""
    compare = _COMPARE[symbol]
    if not len(left):
        return np.zeros(0, np.bool_)
    if kind is FieldType.OCTETS:
        octets = [octet_search.values(columns.capture, side) for side in (left, right)]
        return np.array(
            [compare((len(a), a), (len(b), b)) for a, b in zip(*octets, strict=True)], np.bool_
        )
    if kind is FieldType.TEXT:
        texts = [np.array(side.names)[side.value] for side in (left, right)]
        return np.asarray(compare(*texts), np.bool_)
    if kind is FieldType.IPV6:
        return _halves(left.value, symbol, right.value)
    return _numbers(left.value, symbol, right.value)


def _numbers(left: NDArray[Any], symbol: Operator, right: NDArray[Any]) -> Bool:
    """Exact also where one column is signed and the other unsigned, which floats would not be."""
    compare = _COMPARE[symbol]
    result: Bool
    if left.dtype == right.dtype:
        result = compare(left, right)
        return result
    if left.dtype == np.uint64:
        return _numbers(right, _SWAPPED[symbol], left)
    result = compare(left.astype(np.int64).view(np.uint64), right)
    negative = left < 0
    result[negative] = symbol in {"<", "<=", "!="}
    return result


def _contains(column: Column, needle: bytes | str, columns: PacketColumns) -> Bool:
    if isinstance(needle, bytes):
        return octet_search.contains(columns.capture, column, needle)
    return _by_name(column, lambda name: needle in name)


def _matches(column: Column, pattern: Any, columns: PacketColumns) -> Bool:
    if isinstance(pattern.pattern, bytes):
        return octet_search.matches(columns.capture, column, pattern)
    return _by_name(column, lambda name: pattern.search(name) is not None)


def _membership(test: bound.BoundMembership, left: Column, columns: PacketColumns) -> Bool:
    result = np.zeros(len(left), np.bool_)
    for low, high in test.members:
        if high is None:
            result |= _with_constant(left, "==", low, columns)
        else:
            result |= _with_constant(left, ">=", low, columns) & _with_constant(
                left, "<=", high, columns
            )
    return result
