"""The values of expressions: fields, slices, functions and calculations, as columns."""

from __future__ import annotations

import operator as operators
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mptrace.analysis.filter import bound
from mptrace.analysis.filter.columns import Column, pairs
from mptrace.analysis.filter.field_types import FieldType

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mptrace.analysis.filter.packet_columns import PacketColumns

_EXACT: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operators.add,
    "-": operators.sub,
    "*": operators.mul,
    "&": operators.and_,
}
_NO_NUMBERS: Final = np.empty(0, np.int64)


def column_of(expression: bound.Expression, columns: PacketColumns) -> Column:
    """All values of an expression that is no constant."""
    match expression:
        case bound.FieldValue():
            return _shaped(columns.column(expression.field.name), expression.type)
        case bound.Sliced():
            return _sliced(column_of(expression.operand, columns), expression)
        case bound.Applied():
            return _applied(expression, columns)
        case bound.Calculated():
            return _calculated(expression, columns)
    raise TypeError("a constant has no column")


def _shaped(column: Column, kind: FieldType) -> Column:
    """A column without values in the shape of its type."""
    if len(column) or column.value.ndim > 1:
        return column
    if kind is FieldType.OCTETS:
        return Column(column.row, np.empty((0, 3), np.int64))
    if kind is FieldType.IPV6:
        return Column(column.row, np.empty((0, 2), np.uint64))
    return column


def _sliced(column: Column, slice_: bound.Sliced) -> Column:
    """What a value does not have cannot be sliced from it: such values are left out."""
    length = column.value[:, 2]
    first = slice_.first if slice_.first >= 0 else length + slice_.first
    start = np.broadcast_to(np.asarray(first), length.shape)
    if slice_.length is not None:
        end = start + slice_.length
    elif slice_.last is not None:
        last = slice_.last if slice_.last >= 0 else length + slice_.last
        end = np.broadcast_to(np.asarray(last), length.shape) + 1
    else:
        end = length
    whole = (start >= 0) & (end > start) & (end <= length)
    value = np.stack((column.value[:, 0], column.value[:, 1] + start, end - start), axis=1)
    return Column(column.row[whole], value[whole])


def _applied(applied: bound.Applied, columns: PacketColumns) -> Column:
    argument = column_of(applied.argument, columns)
    if applied.function == "count":
        row, count = np.unique(argument.row, return_counts=True)
        return Column(row, count.astype(np.int64))
    if applied.function == "len":
        if applied.argument.type is FieldType.OCTETS:
            return Column(argument.row, argument.value[:, 2])
        lengths = np.array([len(name) for name in argument.names], np.int64)
        return Column(argument.row, lengths[argument.value] if lengths.size else _NO_NUMBERS)
    change = str.upper if applied.function == "upper" else str.lower
    return Column(argument.row, argument.value, tuple(change(name) for name in argument.names))


def _calculated(expression: bound.Calculated, columns: PacketColumns) -> Column:
    dtype = np.uint64 if expression.type is FieldType.UNSIGNED else np.int64
    row, *sides = _sides(expression.left, expression.right, columns)
    first, second = (side.astype(dtype) for side in sides)
    if expression.operator in "/%":
        possible = second != 0  # nothing is divided by 0: such a packet has no value
        row, first, second = row[possible], first[possible], second[possible]
    return Column(row, _combined(expression.operator, first, second))


def _sides(
    left: bound.Expression, right: bound.Expression, columns: PacketColumns
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Packets and both numbers of every pair of values; a constant pairs with every value."""
    if isinstance(right, bound.Constant):
        column = column_of(left, columns)
        return column.row, column.value, _repeated(right, len(column))
    column = column_of(right, columns)
    if isinstance(left, bound.Constant):
        return column.row, _repeated(left, len(column)), column.value
    other = column_of(left, columns)
    of_left, of_right = pairs(other, column)
    return other.row[of_left], other.value[of_left], column.value[of_right]


def _repeated(constant: bound.Constant, times: int) -> NDArray[Any]:
    value: Any = constant.literal.value
    return np.full(times, value, np.int64 if value < 1 << 63 else np.uint64)


def _combined(operator: str, first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """In 64 bits, wrapping; division goes towards zero, as in C."""
    result: NDArray[Any]
    if operator in _EXACT:
        result = _EXACT[operator](first, second)
        return result
    quotient: NDArray[Any] = first // second
    if first.dtype == np.int64:
        remainder = first - quotient * second
        quotient = quotient + ((remainder != 0) & ((first < 0) != (second < 0)))
    result = quotient if operator == "/" else first - quotient * second
    return result
