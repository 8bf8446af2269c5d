"""Where each field of each TCP option stands: the single truth of codec, columns and tree.

Every combination of lengths and flags that an option may have is a *form*: a list of fields at
fixed places. DSS alone has 24 forms, one per combination of its presence flags and checksum.
A field is present exactly in the forms that list it; the condition of its presence is what
selects these forms: subtype, length and *selector*. The selector is the low four bits of the
subtype octet (version, IP version, flags), except for DSS, where it is the five flags.

``FORMS[0]`` stands for "no such form": an option whose length fits nothing is malformed.
RFC 8684 section 3 (v1), RFC 6824 section 3 (v0), RFC 9293, RFC 7323 and RFC 2018.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dissector.constants import MptcpSubtype, TcpOptionKind
from dissector.field_layout import ANY_NIBBLE, FieldLayout, OptionForm, Show
from dissector.mptcp_forms import mptcp_forms
from dissector.plain_forms import plain_forms

__all__ = [
    "FORMS",
    "FORMS_BY_OPTION",
    "FORM_OF_OTHER",
    "FORM_OF_UNKNOWN_MPTCP",
    "MPTCP_FORM_TABLE",
    "OPTION_LENGTHS",
    "PLAIN_FORM_TABLE",
    "SELECTORS",
    "FieldLayout",
    "OptionForm",
    "Show",
    "find_form",
    "mptcp_form_index",
]

OPTION_LENGTHS: Final = 256
SELECTORS: Final = 32
_OTHER_SUBTYPES: Final = (9, 10, 11, 12, 13, 14)


def _all_forms() -> tuple[OptionForm, ...]:
    malformed = OptionForm(
        0, "MalformedOption", "Malformed option", "RFC 9293 section 3.1", -1, None, 0, ()
    )
    forms = [
        malformed,
        *mptcp_forms(),
        *plain_forms(),
    ]
    return tuple(replace(form, number=number) for number, form in enumerate(forms))


FORMS: Final = _all_forms()
"""Every form; the index is the form's number."""


def _forms_by_option() -> dict[str, tuple[OptionForm, ...]]:
    grouped: dict[str, list[OptionForm]] = {}
    for form in FORMS:
        grouped.setdefault(form.option, []).append(form)
    return {option: tuple(forms) for option, forms in grouped.items()}


FORMS_BY_OPTION: Final = _forms_by_option()
"""The forms of each class of ``options``, by the class's name."""

FORM_OF_UNKNOWN_MPTCP: Final = FORMS_BY_OPTION["UnknownMptcpOption"][0].number
FORM_OF_OTHER: Final = FORMS_BY_OPTION["OtherOption"][0].number


def _mptcp_form_table() -> bytes:
    table = bytearray(16 * OPTION_LENGTHS * SELECTORS)
    for form in FORMS:
        if form.kind == TcpOptionKind.MPTCP and form.subtype is not None:
            for length in form.lengths():
                for selector in form.selectors:
                    table[mptcp_form_index(form.subtype, length, selector)] = form.number
    # A version that is not known has a layout that is not known: nothing is claimed of it.
    unknown = [(int(MptcpSubtype.MP_CAPABLE), nibble) for nibble in ANY_NIBBLE if nibble > 1]
    unknown += [(subtype, nibble) for subtype in _OTHER_SUBTYPES for nibble in ANY_NIBBLE]
    for subtype, nibble in unknown:
        for length in FORMS[FORM_OF_UNKNOWN_MPTCP].lengths():
            table[mptcp_form_index(subtype, length, nibble)] = FORM_OF_UNKNOWN_MPTCP
    return bytes(table)


def _plain_form_table() -> bytes:
    table = bytearray(256 * OPTION_LENGTHS)
    named = {form.kind: form for form in FORMS if form.kind >= 0 and form.subtype is None}
    for kind in range(2, 256):
        if kind == TcpOptionKind.MPTCP:
            continue
        form = named.get(kind, FORMS[FORM_OF_OTHER])
        for length in form.lengths():
            table[kind * OPTION_LENGTHS + length] = form.number
    return bytes(table)


def mptcp_form_index(subtype: int, length: int, selector: int) -> int:
    """Where ``MPTCP_FORM_TABLE`` holds the number of an MPTCP option's form."""
    return (subtype * OPTION_LENGTHS + length) * SELECTORS + selector


MPTCP_FORM_TABLE: Final = _mptcp_form_table()
"""Form numbers of MPTCP options, at ``mptcp_form_index(subtype, length, selector)``."""

PLAIN_FORM_TABLE: Final = _plain_form_table()
"""Form numbers of all other options, at ``kind * OPTION_LENGTHS + length``."""


def find_form(octets: bytes) -> OptionForm:
    """The form of one whole option of two octets or more, as long as its length octet says.

    ``FORMS[0]`` where its length fits no form.
    """
    kind, length = octets[0], octets[1]
    if kind != TcpOptionKind.MPTCP:
        return FORMS[PLAIN_FORM_TABLE[kind * OPTION_LENGTHS + length]]
    if length < 3:
        return FORMS[0]
    subtype, selector = octets[2] >> 4, octets[2] & 0x0F
    if subtype == MptcpSubtype.DSS:
        selector = octets[3] & 0x1F if length > 3 else 0
    return FORMS[MPTCP_FORM_TABLE[mptcp_form_index(subtype, length, selector)]]
