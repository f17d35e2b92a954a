"""A named pipe where a file belongs: refused at once, whoever would have written to it."""

import os

import pytest

COMMANDS = {
    "card": ("counterpart", "add", "PIPE"),
    "bundle": ("import", "PIPE"),
    "package": ("receive", "PIPE"),
    "log": ("audit", "verify", "PIPE", "--card", "PIPE"),
    "ids": ("release", "--to", "beta", "--ids", "PIPE"),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_a_pipe_is_not_waited_for(pair, tmp_path, command):
    a, _ = pair
    os.mkfifo(tmp_path / "pipe")
    assert (
        a.refused(*(tmp_path / "pipe" if word == "PIPE" else word for word in command)) == "file-unreadable"
    )
