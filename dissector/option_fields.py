"""Reading one field of many options at once, from the places that ``option_layout`` gives."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from dissector.option_layout import FORMS, FORMS_BY_OPTION
from dissector.option_walk import OptionRows, gather, keep

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dissector.option_tables import Indices, Mask, Octets


class _FieldTable:
    """Where an attribute stands in each form of an option: what one gather needs."""

    def __init__(self, option: str, attribute: str) -> None:
        self.present = np.zeros(len(FORMS), np.bool_)
        self.shift = np.zeros(len(FORMS), np.uint64)
        self.mask = np.zeros(len(FORMS), np.uint64)
        layouts = {
            form.number: layout
            for form in FORMS_BY_OPTION[option]
            if (layout := form.field(attribute)) is not None
        }
        span = max(layout.octet_end - layout.octet_offset for layout in layouts.values())
        self.octets = next(octets for octets in (1, 2, 4, 8) if octets >= span)
        """Width of the window that is read; it ends where the field ends, so that it never
        leaves the option."""
        self.start = np.zeros(len(FORMS), np.int64)
        for number, layout in layouts.items():
            self.present[number] = True
            self.shift[number] = -(layout.bit_offset + layout.bit_width) % 8
            self.mask[number] = (1 << layout.bit_width) - 1
            self.start[number] = layout.octet_end - self.octets
        self.needs_mask = bool(
            (self.shift[self.present] != 0).any()
            or (self.mask[self.present] != (1 << 8 * self.octets) - 1).any()
        )


_field_table = cache(_FieldTable)


@cache
def _implied_table(option: str, attribute: str) -> Octets:
    """What each form of an option implies for an attribute."""
    table = np.zeros(len(FORMS), np.uint8)
    for form in FORMS_BY_OPTION[option]:
        table[form.number] = dict(form.implied)[attribute]
    return table


@cache
def forms_of(option: str) -> Mask:
    """Which forms are those of an option class: bool[forms]."""
    table = np.zeros(len(FORMS), np.bool_)
    table[[form.number for form in FORMS_BY_OPTION[option]]] = True
    return table


class OptionFields:
    """The rows of one option class, with what is needed to read its fields."""

    def __init__(self, buffer: Octets, rows: OptionRows, option: str) -> None:
        self._buffer = buffer
        self._option = option
        chosen = forms_of(option)[rows.form]
        self.packet, self.offset, self.length, self._form = keep(
            chosen, rows.packet, rows.offset, rows.length, rows.form
        )
        self._rows_of_form = self._by_form()

    def _by_form(self) -> list[tuple[int, Indices | slice, Indices]]:
        """Each form that occurs, its rows and their offsets: in one form a field has one place."""
        forms = np.flatnonzero(np.bincount(self._form, minlength=1)).tolist()
        if len(forms) == 1:
            return [(forms[0], slice(None), self.offset)]
        found: list[tuple[int, Indices | slice, Indices]] = []
        for form in forms:
            rows = np.flatnonzero(self._form == form)
            found.append((form, rows, self.offset[rows]))
        return found

    def implied(self, attribute: str) -> Octets:
        """What the form itself says."""
        values: Octets = _implied_table(self._option, attribute)[self._form]
        return values

    def present(self, attribute: str) -> Mask:
        """In which rows the field is present."""
        mask: Mask = _field_table(self._option, attribute).present[self._form]
        return mask

    def numbers(self, attribute: str, dtype: type) -> NDArray[Any]:
        """A field of at most 64 bits as unsigned numbers, 0 where it is absent."""
        table = _field_table(self._option, attribute)
        if len(self._rows_of_form) == 1:
            form, _, offset = self._rows_of_form[0]
            if table.present[form]:
                return self._read(table, offset, form, dtype)
        values = np.zeros(self.packet.size, dtype)
        for form, rows, offset in self._rows_of_form:
            if table.present[form]:
                values[rows] = self._read(table, offset, form, dtype)
        return values

    def _read(self, table: _FieldTable, offset: Indices, form: int, dtype: type) -> NDArray[Any]:
        window = gather(self._buffer, offset + table.start[form], table.octets)
        if table.needs_mask:
            window = (window.astype(np.uint64) >> table.shift[form]) & table.mask[form]
        return window.astype(dtype, copy=False)

    def flags(self, attribute: str) -> Mask:
        """A field of one bit."""
        return self.numbers(attribute, np.bool_)
