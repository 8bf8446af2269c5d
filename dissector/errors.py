"""What the protocol core raises; packets never cause it, only wrong calls do.

    DissectorError (ValueError)
      +-- EncodeError        an option value cannot be written as octets
      +-- KeyMaterialError   a key, nonce, address or version that no MPTCP host could have

Malformed packets are values (``options.MalformedOption``, ``options.CutOption``), not errors.
"""

from __future__ import annotations


class DissectorError(ValueError):
    """Base of everything that the protocol core raises on purpose."""


class EncodeError(DissectorError):
    """An option value has no form on the wire: a field too large, or a forbidden combination."""


class KeyMaterialError(DissectorError):
    """A key, nonce, address or version that no MPTCP host could have."""
