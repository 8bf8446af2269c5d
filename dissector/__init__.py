"""The MPTCP protocol core: bytes and numbers in, values and columns out.

No file, clock, screen or print is known here; the standard library and numpy are all it needs.

- ``constants``, ``errors``: names and numbers of RFC 8684 and RFC 6824; what can be raised.
- ``option_layout``: where each field of each option stands, read by the codec, the columns
  and the field tree alike.
- ``options``, ``option_codec``: one frozen value per option; octets <-> options.
- ``option_columns``: the same options of many packets at once, as numpy columns.
- ``field_tree``: one option as named fields with their octet and bit ranges.
- ``keys``: tokens, initial data sequence numbers and HMACs; ``checksum``: Internet and DSS
  checksums; ``sequence``: serial arithmetic; ``range_set``: disjoint ranges of numbers.
"""
