"""``mptrace completion SHELL``: a script that completes mptrace's options and file names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse

NAME = "completion"
SUMMARY = "Print the completion script of a shell"

SHELLS: Final = ("bash", "zsh", "fish", "tcsh", "powershell")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the shell."""
    parser.add_argument("shell", choices=SHELLS, help="the shell that is to load the script")
    parser.epilog = 'For example, in ~/.bashrc: eval "$(mptrace completion bash)"'


def run(arguments: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    from mptrace.commands import main

    parser = main.parser()
    _mark_paths(parser, {"FILE": shtab.FILE, "DIR": shtab.DIRECTORY})
    print(shtab.complete(parser, shell=arguments.shell))
    return 0


def _mark_paths(parser: argparse.ArgumentParser, kinds: dict[str, object]) -> None:
    """Say which arguments are files or directories, by their names in the help."""
    for action in parser._actions:  # noqa: SLF001  (argparse has no public way to list them)
        if isinstance(action.metavar, str) and action.metavar in kinds:
            vars(action)["complete"] = kinds[action.metavar]  # where shtab looks
        if isinstance(action.choices, dict):
            for sub in action.choices.values():
                _mark_paths(sub, kinds)
