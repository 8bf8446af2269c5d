"""The command line as a whole: usage, errors, exit statuses, and how fast it starts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mptrace
from mptrace.commands import main, schema
from mptrace.commands.completion import SHELLS
from mptrace.commands.errors import CommandError

# -P: what is tested is the installed package, not the folder where the tests run.
PYTHON = (sys.executable, "-P")
COMMAND = (*PYTHON, "-m", "mptrace")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, env=environment
    )


def test_version() -> None:
    result = run("--version")
    assert (result.returncode, result.stdout, result.stderr) == (
        0, f"mptrace {mptrace.__version__}\n", "",
    )  # fmt: skip


def test_version_beside_other_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main.run(["--version", "--help"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"mptrace {mptrace.__version__}\n"


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main.run(["--help"])
    assert exit_.value.code == 0
    shown = capsys.readouterr().out
    for command in main.COMMANDS:
        assert command.NAME in shown
        assert command.SUMMARY in shown


@pytest.mark.parametrize(
    "arguments",
    [[], ["--nothing"], ["analyze"], ["analyze", "a", "--color", "blue"], ["draw"],
     ["completion"], ["completion", "ksh"], ["analyze", "a", "-c", "one"]],
)  # fmt: skip
def test_wrong_usage_is_one_line_and_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("mptrace: ")
    assert captured.err.count("\n") == 1
    assert "--help" in captured.err


def test_errors_command_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise CommandError("a\x1b[2Jb\nc")

    monkeypatch.setattr(schema, "run", fail)
    assert main.run([schema.NAME]) == 2
    assert capsys.readouterr().err == "mptrace: a\\x1b[2Jb\\nc\n"


def test_other_errors_of_the_system_are_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise OSError(28, "No space left on device", "/there/file.csv")

    monkeypatch.setattr(schema, "run", fail)
    assert main.run([schema.NAME]) == 2
    assert capsys.readouterr().err == "mptrace: /there/file.csv: No space left on device\n"


def test_ctrl_c_ends_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(schema, "run", interrupted)
    assert main.run([schema.NAME]) == 130
    assert capsys.readouterr() == ("", "")


def test_a_broken_pipe_ends_quietly() -> None:
    process = subprocess.Popen(
        [*COMMAND, "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 141
    process.stderr.close()


def test_schema_is_json() -> None:
    result = run("schema")
    assert result.returncode == 0
    assert json.loads(result.stdout)["$schema"].endswith("2020-12/schema")


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_knows_commands_and_options(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["completion", shell]) == 0
    script = capsys.readouterr().out
    for command in main.COMMANDS:
        assert command.NAME in script
    assert "parquet" in script


def test_bash_completes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    main.run(["completion", "bash"])
    script = tmp_path / "completion.bash"
    script.write_text(capsys.readouterr().out, encoding="utf-8")
    (tmp_path / "one.pcap").touch()
    ask = f"""
        . {script}
        complete_words() {{
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            complete_function=$(complete -p mptrace | sed 's/.*-F \\([^ ]*\\).*/\\1/')
            $complete_function mptrace "${{@: -1}}" "${{@: -2:1}}"
            printf '%s\\n' "${{COMPREPLY[@]}}"
        }}
        complete_words mptrace an
        complete_words mptrace analyze --pa
        complete_words mptrace analyze one
    """
    result = subprocess.run(
        [bash, "--norc", "-c", ask], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert result.stdout.split() == ["analyze", "--parquet", "one.pcap"]


HEAVY = ("numpy", "pandas", "plotly", "pyarrow", "pyshark", "rich", "shtab", "textual")


@pytest.mark.parametrize(
    "statement",
    [
        "import mptrace",
        "from mptrace.commands.main import parser; parser()",
    ],
)
def test_start_loads_nothing_heavy(statement: str) -> None:
    code = f"{statement}; import sys; print([n for n in {HEAVY!r} if n in sys.modules])"
    result = subprocess.run([*PYTHON, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_version_loads_next_to_nothing() -> None:
    """How long it takes is measured by bench/run.py; here stands why it is short."""
    code = (
        "import sys; before = set(sys.modules); sys.argv[1:] = ['--version'];"
        "from mptrace.__main__ import main; main();"
        "print(sorted(name for name in set(sys.modules) - before if 'mptrace' not in name))"
    )
    result = subprocess.run([*PYTHON, "-c", code], capture_output=True, text=True, check=True)
    version, loaded = result.stdout.splitlines()
    assert version.startswith("mptrace ")
    for name in ("argparse", "dataclasses", "json", "numpy", "pathlib"):
        assert f"'{name}'" not in loaded
