"""Record small MPTCP captures from the real kernel, with the truth beside them.

Two network namespaces, joined by links that live in this process (TAP devices on both ends), give
every delay, rate, loss and middlebox that a scenario asks for; ``tcpdump`` listens in both.
"""
