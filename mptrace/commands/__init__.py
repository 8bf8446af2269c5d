"""The command line: one module for each subcommand, wired by :mod:`mptrace.commands.main`.

A subcommand is a module with ``NAME``, ``SUMMARY``, ``add_arguments`` and ``run``. It imports what
it needs inside ``run``, so that ``mptrace --help`` starts at once.
"""
