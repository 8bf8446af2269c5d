"""The forms of the MPTCP options: RFC 8684 section 3 (v1) and RFC 6824 section 3 (v0).

Every combination of lengths and flags that an option may have is a form of its own: DSS alone
has 24, one per combination of its presence flags and checksum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissector.constants import DssFlag, MptcpSubtype, TcpOptionKind
from dissector.field_layout import (
    ANY_NIBBLE,
    MPTCP_NAME,
    FieldLayout,
    FormBuilder,
    OptionForm,
    Show,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


def mptcp_forms() -> Iterator[OptionForm]:
    """All forms of kind 30."""
    yield from _mp_capable_forms()
    yield from _mp_join_forms()
    yield from _dss_forms()
    yield from _add_address_forms()
    yield from _small_mptcp_forms()
    yield _unknown_mptcp_form()


def _mp_capable_flags(version: int) -> tuple[FieldLayout, ...]:
    def flag(name: str, label: str, bit: int) -> FieldLayout:
        return FieldLayout("", MPTCP_NAME + name, label, bit, 1, Show.FLAG)

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
        MPTCP_NAME + "reserved.flag",
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
        form = FormBuilder(TcpOptionKind.MPTCP).subtype(MptcpSubtype.MP_CAPABLE)
        form.add("version", MPTCP_NAME + "version", "Multipath TCP version", 4, fixed=version)
        form.add(
            "flags",
            MPTCP_NAME + "flags",
            "Multipath TCP flags",
            8,
            Show.HEXADECIMAL,
            parts=_mp_capable_flags(version),
        )
        if sender_key:
            form.add("sender_key", MPTCP_NAME + "sendkey", "Sender's key", 64, Show.HEXADECIMAL)
        if receiver_key:
            form.add("receiver_key", MPTCP_NAME + "recvkey", "Receiver's key", 64, Show.HEXADECIMAL)
        if data_length:
            form.add("data_length", MPTCP_NAME + "datalvllen", "Data-level length", 16)
        if checksum:
            form.add("checksum", MPTCP_NAME + "checksum", "Checksum", 16, Show.HEXADECIMAL)
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
    def join_form(option: str, title: str, form: FormBuilder) -> OptionForm:
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

    def start() -> FormBuilder:
        form = FormBuilder(TcpOptionKind.MPTCP).subtype(MptcpSubtype.MP_JOIN).reserved(3)
        form.flag("backup", MPTCP_NAME + "backup.flag", "B: backup")
        return form.add("address_id", MPTCP_NAME + "addrid", "Address ID", 8)

    syn = start()
    syn.add("token", MPTCP_NAME + "recvtok", "Receiver's token", 32, Show.HEXADECIMAL)
    syn.add("nonce", MPTCP_NAME + "sendrand", "Sender's random number", 32, Show.HEXADECIMAL)
    yield join_form("MpJoinSyn", "MP_JOIN SYN", syn)
    syn_ack = start()
    syn_ack.add("hmac", MPTCP_NAME + "sendtrunchmac", "Sender's truncated HMAC", 64, Show.OCTETS)
    syn_ack.add("nonce", MPTCP_NAME + "sendrand", "Sender's random number", 32, Show.HEXADECIMAL)
    yield join_form("MpJoinSynAck", "MP_JOIN SYN/ACK", syn_ack)
    ack = FormBuilder(TcpOptionKind.MPTCP).subtype(MptcpSubtype.MP_JOIN).reserved(12)
    ack.add("hmac", MPTCP_NAME + "sendhmac", "Sender's HMAC", 160, Show.OCTETS)
    yield join_form("MpJoinAck", "MP_JOIN ACK", ack)


def _dss_form(flags: int, *, checksum: bool) -> OptionForm:
    has_ack = bool(flags & DssFlag.DATA_ACK)
    wide_ack = bool(flags & DssFlag.A_DATA_ACK_8_OCTETS)
    has_map = bool(flags & DssFlag.MAPPING)
    wide_seq = bool(flags & DssFlag.M_DATA_SEQ_8_OCTETS)
    form = FormBuilder(TcpOptionKind.MPTCP).subtype(MptcpSubtype.DSS).reserved(7)
    parts = (
        ("data_fin", "datafin.flag", "F: DATA_FIN", None),
        ("", "dseqn8.flag", "m: data sequence number is 8 octets", wide_seq),
        ("", "dseqnpresent.flag", "M: mapping is present", has_map),
        ("", "dataack8.flag", "a: DATA_ACK is 8 octets", wide_ack),
        ("", "dataackpresent.flag", "A: DATA_ACK is present", has_ack),
    )
    form.add(
        "",
        MPTCP_NAME + "flags",
        "Multipath TCP flags",
        len(parts),
        Show.HEXADECIMAL,
        parts=tuple(
            FieldLayout(attribute, MPTCP_NAME + name, label, bit, 1, Show.FLAG, fixed)
            for bit, (attribute, name, label, fixed) in enumerate(parts)
        ),
    )
    if has_ack:
        form.add("data_ack", MPTCP_NAME + "rawdataack", "DATA_ACK", 64 if wide_ack else 32)
    if has_map:
        form.add(
            "data_seq", MPTCP_NAME + "rawdataseqno", "Data sequence number", 64 if wide_seq else 32
        )
        form.add("subflow_seq", MPTCP_NAME + "subflowseqno", "Subflow sequence number", 32)
        form.add("data_length", MPTCP_NAME + "datalvllen", "Data-level length", 16)
    if checksum:
        form.add("checksum", MPTCP_NAME + "checksum", "Checksum", 16, Show.HEXADECIMAL)
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
        form = FormBuilder(TcpOptionKind.MPTCP).subtype(MptcpSubtype.ADD_ADDR)
        if version:
            form.reserved(3)
            form.flag("echo", MPTCP_NAME + "echo", "E: echo", fixed=echo)
        else:
            form.add("", MPTCP_NAME + "ipver", "IP version", 4, fixed=family)
        form.add("address_id", MPTCP_NAME + "addrid", "Address ID", 8)
        if family == 4:
            form.add("address", MPTCP_NAME + "ipv4", "Advertised IPv4 address", 32, Show.IPV4)
        else:
            form.add("address", MPTCP_NAME + "ipv6", "Advertised IPv6 address", 128, Show.IPV6)
        if has_port:
            form.add("port", MPTCP_NAME + "port", "Advertised port", 16)
        if version and not echo:
            form.add("hmac", MPTCP_NAME + "addaddrtrunchmac", "Truncated HMAC", 64, Show.OCTETS)
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

    remove = FormBuilder(kind).subtype(MptcpSubtype.REMOVE_ADDR).reserved(4)
    remove.add("address_ids", MPTCP_NAME + "addrid", "Address ID", 0, Show.ADDRESS_IDS)
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
        priority = FormBuilder(kind).subtype(MptcpSubtype.MP_PRIO).reserved(3)
        priority.flag("backup", MPTCP_NAME + "backup.flag", "B: backup")
        if has_id:  # RFC 6824 only, but a v1 receiver may meet it
            priority.add("address_id", MPTCP_NAME + "addrid", "Address ID", 8)
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
    fail = FormBuilder(kind).subtype(MptcpSubtype.MP_FAIL).reserved(12)
    fail.add("data_seq", MPTCP_NAME + "rawdataseqno", "Data sequence number", 64)
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
    fastclose = FormBuilder(kind).subtype(MptcpSubtype.MP_FASTCLOSE).reserved(12)
    fastclose.add("receiver_key", MPTCP_NAME + "recvkey", "Receiver's key", 64, Show.HEXADECIMAL)
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
    reset = FormBuilder(kind).subtype(MptcpSubtype.MP_TCPRST)
    flag_names = ("U", "V", "W")
    reset_flags = tuple(
        FieldLayout("", f"{MPTCP_NAME}flag_{name}.flag", f"{name}: unassigned", bit, 1, Show.FLAG)
        for bit, name in enumerate(flag_names)
    )
    transient = FieldLayout("", MPTCP_NAME + "flag_T.flag", "T: transient", 3, 1, Show.FLAG)
    reset.add(
        "flags",
        MPTCP_NAME + "flags",
        "Multipath TCP flags",
        4,
        Show.HEXADECIMAL,
        parts=(*reset_flags, transient),
    )
    reset.add("reason", MPTCP_NAME + "rst_reason", "TCPRST reason", 8)
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
    private = FormBuilder(kind).subtype(MptcpSubtype.MP_EXPERIMENTAL)
    private.add("low_bits", MPTCP_NAME + "reserved", "Bits beside the subtype", 4, Show.HEXADECIMAL)
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
    form = FormBuilder(TcpOptionKind.MPTCP)
    form.add("subtype", MPTCP_NAME + "subtype", "Multipath TCP subtype", 4)
    form.add("low_bits", MPTCP_NAME + "reserved", "Bits beside the subtype", 4, Show.HEXADECIMAL)
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
