"""The words of events and notes."""

from __future__ import annotations


def side_name(from_client: bool) -> str:
    """The host as the subject of a sentence."""
    return "Client" if from_client else "Server"


def hmac_words(valid: bool | None) -> str:
    """What can be said of an HMAC."""
    if valid is None:
        return "its HMAC cannot be checked"
    return "its HMAC is right" if valid else "its HMAC is wrong"


def priority_words(backup: bool) -> str:
    """What the B flag asks for."""
    return "backup" if backup else "regular use"


def endpoint_words(address: str, port: int | None) -> str:
    """An address, with its port where there is one."""
    if port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
