"""MPTCP options that stand for themselves (all but DSS) in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissector.constants import TcpOptionKind
from dissector.options import (
    AddAddress,
    CutOption,
    MalformedOption,
    MpCapable,
    MpExperimental,
    MpFail,
    MpFastclose,
    MpJoinAck,
    MpJoinSyn,
    MpJoinSynAck,
    MpPriority,
    MpTcpReset,
    RemoveAddress,
    UnknownMptcpOption,
)
from mptrace.views.figures import address_and_port, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dissector.options import TcpOption


def words(options: Iterable[TcpOption]) -> Iterator[str]:
    """Yield a few words for each MPTCP option but DSS."""
    for option in options:
        text = _words(option)
        if text:
            yield printable(text)


def _words(option: TcpOption) -> str:
    match option:
        case MpCapable():
            return _capable(option)
        case MpJoinSyn() | MpJoinSynAck() | MpJoinAck():
            return _join(option)
        case AddAddress() | RemoveAddress() | MpPriority():
            return _address(option)
        case MpFail():
            return f"MP_FAIL dsn {option.data_seq:#x}"
        case MpFastclose():
            return "MP_FASTCLOSE"
        case MpTcpReset():
            transient = ", transient" if option.transient else ""
            return f"MP_TCPRST {option.reason_name}{transient}"
        case MpExperimental():
            return "MP_EXPERIMENTAL"
    return _odd(option)


def _odd(option: TcpOption) -> str:
    match option:
        case UnknownMptcpOption():
            if option.unknown_version is not None:
                return f"MP_CAPABLE of unknown version {option.unknown_version}"
            return f"MPTCP subtype {option.subtype}, unknown"
        case MalformedOption() if option.kind == TcpOptionKind.MPTCP:
            return f"malformed MPTCP option: {option.text}"
        case CutOption():
            return "options cut by the capture"
    return ""


def _join(option: MpJoinSyn | MpJoinSynAck | MpJoinAck) -> str:
    if isinstance(option, MpJoinAck):
        return "MP_JOIN confirmed"
    backup = ", backup" if option.backup else ""
    what = f"token {option.token:#010x}" if isinstance(option, MpJoinSyn) else "answer"
    return f"MP_JOIN {what}, address {option.address_id}{backup}"


def _address(option: AddAddress | RemoveAddress | MpPriority) -> str:
    if isinstance(option, AddAddress):
        where = address_and_port(str(option.address), option.port)
        return f"ADD_ADDR{' echo' if option.echo else ''} {where}, id {option.address_id}"
    if isinstance(option, RemoveAddress):
        return f"REMOVE_ADDR id {', '.join(map(str, option.address_ids))}"
    whom = "" if option.address_id is None else f" address {option.address_id}"
    return f"MP_PRIO{whom} {'backup' if option.backup else 'regular'}"


def _capable(option: MpCapable) -> str:
    text = f"MP_CAPABLE v{option.version}"
    if option.checksum_required:
        text += ", checksums"
    if option.data_length:
        text += f", data of {option.data_length}"
    return text
