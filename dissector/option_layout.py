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

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from dissector.constants import DssFlag, MptcpSubtype, TcpOptionKind

if TYPE_CHECKING:
    from collections.abc import Iterator

OPTION_LENGTHS: Final = 256
SELECTORS: Final = 32
ANY_NIBBLE: Final = tuple(range(16))
OTHER_SUBTYPES: Final = (9, 10, 11, 12, 13, 14)


class Show(Enum):
    """How a field's bits are to be read and shown."""

    DECIMAL = "decimal"
    HEXADECIMAL = "hexadecimal"
    FLAG = "flag"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    OCTETS = "octets"
    ADDRESS_IDS = "address_ids"
    SACK_BLOCKS = "sack_blocks"


@dataclass(frozen=True, slots=True)
class FieldLayout:
    """One field of one form.

    ``attribute`` is the name in ``options`` and in the columns ("" where the form alone
    determines the value); ``name`` is Wireshark's filter name where it has one. Bits count from
    the option's first bit. ``bit_width`` 0 means: to the option's end. ``fixed`` is the value
    that this field has in this form. ``parts`` are the flags within, for the tree only.
    """

    attribute: str
    name: str
    label: str
    bit_offset: int
    bit_width: int
    show: Show = Show.DECIMAL
    fixed: int | None = None
    parts: tuple[FieldLayout, ...] = ()

    @property
    def octet_offset(self) -> int:
        """The octet, counted from the option's first, in which the field begins."""
        return self.bit_offset // 8

    @property
    def octet_end(self) -> int:
        """The octet after the field's last one (only for fields of a fixed width)."""
        return (self.bit_offset + self.bit_width + 7) // 8


@dataclass(frozen=True, slots=True)
class OptionForm:
    """One shape that an option can have on the wire.

    ``length`` is the smallest length; ``step`` is 0 where it is the only one, otherwise the
    length may grow by multiples of it up to ``max_length``. ``implied`` are attributes that
    follow from the form itself.
    """

    number: int
    option: str
    title: str
    reference: str
    kind: int
    subtype: int | None
    length: int
    fields: tuple[FieldLayout, ...]
    implied: tuple[tuple[str, int | bool], ...] = ()
    selectors: tuple[int, ...] = ANY_NIBBLE
    step: int = 0
    max_length: int = 255

    def lengths(self) -> range:
        """Every length that the length octet may have in this form."""
        if self.step == 0:
            return range(self.length, self.length + 1)
        return range(self.length, self.max_length + 1, self.step)

    def field(self, attribute: str) -> FieldLayout | None:
        """The field with this attribute, or None where the form lacks it."""
        for layout in self.fields:
            if layout.attribute == attribute:
                return layout
        return None


_MPTCP = "tcp.options.mptcp."


class _FormBuilder:
    """Appends fields one after the other, so that offsets follow from widths."""

    def __init__(self, kind: int, *, other: bool = False) -> None:
        self._fields: list[FieldLayout] = []
        self._bit = 0
        fixed = None if other else int(kind)
        self.add("kind" if other else "", "tcp.option_kind", "Kind", 8, fixed=fixed)
        self.add("", "tcp.option_len", "Length", 8)

    def add(
        self,
        attribute: str,
        name: str,
        label: str,
        bit_width: int,
        show: Show = Show.DECIMAL,
        *,
        fixed: int | None = None,
        parts: tuple[FieldLayout, ...] = (),
    ) -> _FormBuilder:
        shifted = tuple(replace(part, bit_offset=self._bit + part.bit_offset) for part in parts)
        self._fields.append(
            FieldLayout(attribute, name, label, self._bit, bit_width, show, fixed, shifted)
        )
        self._bit += bit_width
        return self

    def flag(
        self, attribute: str, name: str, label: str, *, fixed: int | None = None
    ) -> _FormBuilder:
        return self.add(attribute, name, label, 1, Show.FLAG, fixed=fixed)

    def subtype(self, subtype: int) -> _FormBuilder:
        return self.add("", _MPTCP + "subtype", "Multipath TCP subtype", 4, fixed=int(subtype))

    def reserved(self, bit_width: int) -> _FormBuilder:
        return self.add("reserved", _MPTCP + "reserved", "Reserved", bit_width, Show.HEXADECIMAL)

    @property
    def octets(self) -> int:
        return self._bit // 8

    @property
    def fields(self) -> tuple[FieldLayout, ...]:
        return tuple(self._fields)


def _mp_capable_flags(version: int) -> tuple[FieldLayout, ...]:
    def flag(name: str, label: str, bit: int) -> FieldLayout:
        return FieldLayout("", _MPTCP + name, label, bit, 1, Show.FLAG)

    # RFC 6824 has C reserved; RFC 8684 section 3.1 gives it its meaning.
    third = (
        (flag("nomoresubflows.flag", "C: no further subflows to this address and port", 2),)
        if version
        else ()
    )
    first_reserved = 3 if version else 2
    algorithm = (
        flag("sha256.flag", "H: HMAC-SHA256", 7)
        if version
        else flag("sha1.flag", "H: HMAC-SHA1", 7)
    )
    reserved = FieldLayout(
        "",
        _MPTCP + "reserved.flag",
        "Reserved flags",
        first_reserved,
        7 - first_reserved,
        Show.HEXADECIMAL,
    )
    return (
        flag("checksumreq.flags", "A: checksum required", 0),
        flag("extensibility.flag", "B: extensibility", 1),
        *third,
        reserved,
        algorithm,
    )


def _mp_capable_forms() -> Iterator[OptionForm]:
    shapes = (
        # version, title, sender's key, receiver's key, data length, checksum
        (0, "MP_CAPABLE SYN or SYN/ACK (v0)", True, False, False, False),
        (0, "MP_CAPABLE ACK (v0)", True, True, False, False),
        (1, "MP_CAPABLE SYN", False, False, False, False),
        (1, "MP_CAPABLE SYN/ACK", True, False, False, False),
        (1, "MP_CAPABLE ACK", True, True, False, False),
        (1, "MP_CAPABLE data", True, True, True, False),
        (1, "MP_CAPABLE data with checksum", True, True, True, True),
    )
    for version, title, sender_key, receiver_key, data_length, checksum in shapes:
        form = _FormBuilder(TcpOptionKind.MPTCP).subtype(MptcpSubtype.MP_CAPABLE)
        form.add("version", _MPTCP + "version", "Multipath TCP version", 4, fixed=version)
        form.add(
            "flags",
            _MPTCP + "flags",
            "Multipath TCP flags",
            8,
            Show.HEXADECIMAL,
            parts=_mp_capable_flags(version),
        )
        if sender_key:
            form.add("sender_key", _MPTCP + "sendkey", "Sender's key", 64, Show.HEXADECIMAL)
        if receiver_key:
            form.add("receiver_key", _MPTCP + "recvkey", "Receiver's key", 64, Show.HEXADECIMAL)
        if data_length:
            form.add("data_length", _MPTCP + "datalvllen", "Data-level length", 16)
        if checksum:
            form.add("checksum", _MPTCP + "checksum", "Checksum", 16, Show.HEXADECIMAL)
        yield OptionForm(
            0,
            "MpCapable",
            title,
            f"RFC {8684 if version else 6824} section 3.1",
            TcpOptionKind.MPTCP,
            MptcpSubtype.MP_CAPABLE,
            form.octets,
            form.fields,
            selectors=(version,),
        )


def _mp_join_forms() -> Iterator[OptionForm]:
    def join_form(option: str, title: str, form: _FormBuilder) -> OptionForm:
        return OptionForm(
            0,
            option,
            title,
            "RFC 8684 section 3.2",
            TcpOptionKind.MPTCP,
            MptcpSubtype.MP_JOIN,
            form.octets,
            form.fields,
        )

    def start() -> _FormBuilder:
        form = _FormBuilder(TcpOptionKind.MPTCP).subtype(MptcpSubtype.MP_JOIN).reserved(3)
        form.flag("backup", _MPTCP + "backup.flag", "B: backup")
        return form.add("address_id", _MPTCP + "addrid", "Address ID", 8)

    syn = start()
    syn.add("token", _MPTCP + "recvtok", "Receiver's token", 32, Show.HEXADECIMAL)
    syn.add("nonce", _MPTCP + "sendrand", "Sender's random number", 32, Show.HEXADECIMAL)
    yield join_form("MpJoinSyn", "MP_JOIN SYN", syn)
    syn_ack = start()
    syn_ack.add("hmac", _MPTCP + "sendtrunchmac", "Sender's truncated HMAC", 64, Show.OCTETS)
    syn_ack.add("nonce", _MPTCP + "sendrand", "Sender's random number", 32, Show.HEXADECIMAL)
    yield join_form("MpJoinSynAck", "MP_JOIN SYN/ACK", syn_ack)
    ack = _FormBuilder(TcpOptionKind.MPTCP).subtype(MptcpSubtype.MP_JOIN).reserved(12)
    ack.add("hmac", _MPTCP + "sendhmac", "Sender's HMAC", 160, Show.OCTETS)
    yield join_form("MpJoinAck", "MP_JOIN ACK", ack)


def _dss_form(flags: int, *, checksum: bool) -> OptionForm:
    has_ack = bool(flags & DssFlag.DATA_ACK)
    wide_ack = bool(flags & DssFlag.A_DATA_ACK_8_OCTETS)
    has_map = bool(flags & DssFlag.MAPPING)
    wide_seq = bool(flags & DssFlag.M_DATA_SEQ_8_OCTETS)
    form = _FormBuilder(TcpOptionKind.MPTCP).subtype(MptcpSubtype.DSS).reserved(7)
    form.flag("data_fin", _MPTCP + "datafin.flag", "F: DATA_FIN")
    form.flag("", _MPTCP + "dseqn8.flag", "m: data sequence number is 8 octets", fixed=wide_seq)
    form.flag("", _MPTCP + "dseqnpresent.flag", "M: mapping is present", fixed=has_map)
    form.flag("", _MPTCP + "dataack8.flag", "a: DATA_ACK is 8 octets", fixed=wide_ack)
    form.flag("", _MPTCP + "dataackpresent.flag", "A: DATA_ACK is present", fixed=has_ack)
    if has_ack:
        form.add("data_ack", _MPTCP + "rawdataack", "DATA_ACK", 64 if wide_ack else 32)
    if has_map:
        form.add(
            "data_seq", _MPTCP + "rawdataseqno", "Data sequence number", 64 if wide_seq else 32
        )
        form.add("subflow_seq", _MPTCP + "subflowseqno", "Subflow sequence number", 32)
        form.add("data_length", _MPTCP + "datalvllen", "Data-level length", 16)
    if checksum:
        form.add("checksum", _MPTCP + "checksum", "Checksum", 16, Show.HEXADECIMAL)
    contents = [("DATA_ACK", has_ack), ("mapping", has_map), ("checksum", checksum)]
    unused = (0 if has_ack else flags & DssFlag.A_DATA_ACK_8_OCTETS) | (
        0 if has_map else flags & DssFlag.M_DATA_SEQ_8_OCTETS
    )
    return OptionForm(
        0,
        "DataSequenceSignal",
        " ".join(["DSS", ", ".join(name for name, present in contents if present)]).strip(),
        "RFC 8684 section 3.3",
        TcpOptionKind.MPTCP,
        MptcpSubtype.DSS,
        form.octets,
        form.fields,
        implied=(
            ("data_ack_octets", (8 if wide_ack else 4) if has_ack else 0),
            ("data_seq_octets", (8 if wide_seq else 4) if has_map else 0),
            ("unused_flags", int(unused)),
        ),
        selectors=(flags, flags | DssFlag.F_DATA_FIN),
    )


def _dss_forms() -> Iterator[OptionForm]:
    for flags in range(16):
        yield _dss_form(flags, checksum=False)
        if flags & DssFlag.MAPPING:
            yield _dss_form(flags, checksum=True)


def _add_address_forms() -> Iterator[OptionForm]:
    for version, echo, family, has_port in (
        (version, echo, family, has_port)
        for version, echo in ((0, False), (1, False), (1, True))
        for family in (4, 6)
        for has_port in (False, True)
    ):
        form = _FormBuilder(TcpOptionKind.MPTCP).subtype(MptcpSubtype.ADD_ADDR)
        if version:
            form.reserved(3)
            form.flag("echo", _MPTCP + "echo", "E: echo", fixed=echo)
        else:
            form.add("", _MPTCP + "ipver", "IP version", 4, fixed=family)
        form.add("address_id", _MPTCP + "addrid", "Address ID", 8)
        if family == 4:
            form.add("address", _MPTCP + "ipv4", "Advertised IPv4 address", 32, Show.IPV4)
        else:
            form.add("address", _MPTCP + "ipv6", "Advertised IPv6 address", 128, Show.IPV6)
        if has_port:
            form.add("port", _MPTCP + "port", "Advertised port", 16)
        if version and not echo:
            form.add("hmac", _MPTCP + "addaddrtrunchmac", "Truncated HMAC", 64, Show.OCTETS)
        yield OptionForm(
            0,
            "AddAddress",
            f"ADD_ADDR{' echo' if echo else ''} IPv{family}{'' if version else ' (v0)'}",
            "RFC 8684 section 3.4.1" if version else "RFC 6824 section 3.4.1",
            TcpOptionKind.MPTCP,
            MptcpSubtype.ADD_ADDR,
            form.octets,
            form.fields,
            implied=(("version", version), ("family", family)),
            # The nibble is the IP version in v0; in v1 its last bit is E, the others reserved
            # and ignored. Where both readings are possible the lengths tell them apart.
            selectors=(
                tuple(nibble for nibble in ANY_NIBBLE if bool(nibble & 1) == echo)
                if version
                else (family,)
            ),
        )


def _small_mptcp_forms() -> Iterator[OptionForm]:
    kind = TcpOptionKind.MPTCP

    remove = _FormBuilder(kind).subtype(MptcpSubtype.REMOVE_ADDR).reserved(4)
    remove.add("address_ids", _MPTCP + "addrid", "Address ID", 0, Show.ADDRESS_IDS)
    yield OptionForm(
        0,
        "RemoveAddress",
        "REMOVE_ADDR",
        "RFC 8684 section 3.4.2",
        kind,
        MptcpSubtype.REMOVE_ADDR,
        4,
        remove.fields,
        step=1,
    )
    for has_id in (False, True):
        priority = _FormBuilder(kind).subtype(MptcpSubtype.MP_PRIO).reserved(3)
        priority.flag("backup", _MPTCP + "backup.flag", "B: backup")
        if has_id:  # RFC 6824 only, but a v1 receiver may meet it
            priority.add("address_id", _MPTCP + "addrid", "Address ID", 8)
        yield OptionForm(
            0,
            "MpPriority",
            "MP_PRIO",
            f"RFC {6824 if has_id else 8684} section 3.3.8",
            kind,
            MptcpSubtype.MP_PRIO,
            priority.octets,
            priority.fields,
        )
    fail = _FormBuilder(kind).subtype(MptcpSubtype.MP_FAIL).reserved(12)
    fail.add("data_seq", _MPTCP + "rawdataseqno", "Data sequence number", 64)
    yield OptionForm(
        0,
        "MpFail",
        "MP_FAIL",
        "RFC 8684 section 3.7",
        kind,
        MptcpSubtype.MP_FAIL,
        fail.octets,
        fail.fields,
    )
    fastclose = _FormBuilder(kind).subtype(MptcpSubtype.MP_FASTCLOSE).reserved(12)
    fastclose.add("receiver_key", _MPTCP + "recvkey", "Receiver's key", 64, Show.HEXADECIMAL)
    yield OptionForm(
        0,
        "MpFastclose",
        "MP_FASTCLOSE",
        "RFC 8684 section 3.5",
        kind,
        MptcpSubtype.MP_FASTCLOSE,
        fastclose.octets,
        fastclose.fields,
    )
    reset = _FormBuilder(kind).subtype(MptcpSubtype.MP_TCPRST)
    flag_names = ("U", "V", "W")
    reset_flags = tuple(
        FieldLayout("", f"{_MPTCP}flag_{name}.flag", f"{name}: unassigned", bit, 1, Show.FLAG)
        for bit, name in enumerate(flag_names)
    )
    transient = FieldLayout("", _MPTCP + "flag_T.flag", "T: transient", 3, 1, Show.FLAG)
    reset.add(
        "flags",
        _MPTCP + "flags",
        "Multipath TCP flags",
        4,
        Show.HEXADECIMAL,
        parts=(*reset_flags, transient),
    )
    reset.add("reason", _MPTCP + "rst_reason", "TCPRST reason", 8)
    yield OptionForm(
        0,
        "MpTcpReset",
        "MP_TCPRST",
        "RFC 8684 section 3.6",
        kind,
        MptcpSubtype.MP_TCPRST,
        reset.octets,
        reset.fields,
    )
    private = _FormBuilder(kind).subtype(MptcpSubtype.MP_EXPERIMENTAL)
    private.add("low_bits", _MPTCP + "reserved", "Bits beside the subtype", 4, Show.HEXADECIMAL)
    private.add("octets", "tcp.options.unknown.payload", "Contents", 0, Show.OCTETS)
    yield OptionForm(
        0,
        "MpExperimental",
        "MP_EXPERIMENTAL",
        "RFC 8684 section 7.2",
        kind,
        MptcpSubtype.MP_EXPERIMENTAL,
        3,
        private.fields,
        step=1,
    )


def _unknown_mptcp_form() -> OptionForm:
    form = _FormBuilder(TcpOptionKind.MPTCP)
    form.add("subtype", _MPTCP + "subtype", "Multipath TCP subtype", 4)
    form.add("low_bits", _MPTCP + "reserved", "Bits beside the subtype", 4, Show.HEXADECIMAL)
    form.add("octets", "tcp.options.unknown.payload", "Contents", 0, Show.OCTETS)
    return OptionForm(
        0,
        "UnknownMptcpOption",
        "Unknown MPTCP option",
        "RFC 8684 section 7.2",
        TcpOptionKind.MPTCP,
        None,
        3,
        form.fields,
        step=1,
    )


def _plain_forms() -> Iterator[OptionForm]:
    def plain(
        option: str,
        title: str,
        reference: str,
        kind: int,
        form: _FormBuilder,
        step: int = 0,
        length: int | None = None,
    ) -> OptionForm:
        octets = form.octets if length is None else length
        return OptionForm(0, option, title, reference, kind, None, octets, form.fields, step=step)

    mss = _FormBuilder(TcpOptionKind.MAXIMUM_SEGMENT_SIZE)
    mss.add("maximum_segment_size", "tcp.options.mss_val", "MSS value", 16)
    yield plain(
        "MaximumSegmentSize",
        "Maximum segment size",
        "RFC 9293 section 3.7.1",
        TcpOptionKind.MAXIMUM_SEGMENT_SIZE,
        mss,
    )
    scale = _FormBuilder(TcpOptionKind.WINDOW_SCALE)
    scale.add("shift", "tcp.options.wscale.shift", "Shift count", 8)
    yield plain(
        "WindowScale",
        "Window scale",
        "RFC 7323 section 2.2",
        TcpOptionKind.WINDOW_SCALE,
        scale,
    )
    yield plain(
        "SackPermitted",
        "SACK permitted",
        "RFC 2018 section 2",
        TcpOptionKind.SACK_PERMITTED,
        _FormBuilder(TcpOptionKind.SACK_PERMITTED),
    )
    sack = _FormBuilder(TcpOptionKind.SACK)
    sack.add("blocks", "tcp.options.sack_le", "SACK block", 0, Show.SACK_BLOCKS)
    yield plain("Sack", "SACK", "RFC 2018 section 3", TcpOptionKind.SACK, sack, step=8, length=10)
    times = _FormBuilder(TcpOptionKind.TIMESTAMPS)
    times.add("value", "tcp.options.timestamp.tsval", "Timestamp value", 32)
    times.add("echo_reply", "tcp.options.timestamp.tsecr", "Timestamp echo reply", 32)
    yield plain("Timestamps", "Timestamps", "RFC 7323 section 3.2", TcpOptionKind.TIMESTAMPS, times)
    other = _FormBuilder(0, other=True)
    other.add("octets", "tcp.options.unknown.payload", "Contents", 0, Show.OCTETS)
    yield plain("OtherOption", "Other option", "RFC 9293 section 3.1", -1, other, step=1, length=2)


def _all_forms() -> tuple[OptionForm, ...]:
    malformed = OptionForm(
        0, "MalformedOption", "Malformed option", "RFC 9293 section 3.1", -1, None, 0, ()
    )
    forms = [
        malformed,
        *_mp_capable_forms(),
        *_mp_join_forms(),
        *_dss_forms(),
        *_add_address_forms(),
        *_small_mptcp_forms(),
        _unknown_mptcp_form(),
        *_plain_forms(),
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
    unknown += [(subtype, nibble) for subtype in OTHER_SUBTYPES for nibble in ANY_NIBBLE]
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
