"""The list of commands is made without importing them: it must say what they say."""

from __future__ import annotations

import importlib
import subprocess
import sys

from app.cli import TABLE


def test_the_table_says_what_each_command_says_of_itself():
    for name, (module, line) in TABLE.items():
        command = importlib.import_module(f"app.cli.{module}").COMMANDS[name]
        assert command.get_short_help_str(limit=200) == line, name


def test_the_list_of_commands_imports_none():
    program = (
        "import sys; sys.argv = ['mithaq-cli', '--help']; import app.cli\n"
        "try: app.cli.main()\nexcept SystemExit: pass\n"
        "print(sorted(m for m in sys.modules if m.startswith(('crypto', 'app.exchange'))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
