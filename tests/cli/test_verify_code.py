"""The verification ceremony in two terminals: what one side reads, the other types."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.cli.conftest import CLI, Site, at


class Terminal:
    """A running `counterpart verify --code`, read and answered as an officer would."""

    def __init__(self, site: Site, name: str) -> None:
        command = [
            CLI,
            "--home",
            site.home,
            "--passphrase-file",
            site.passphrase,
            "counterpart",
            "verify",
            name,
            "--code",
        ]
        self.process = subprocess.Popen(
            [*map(str, command)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.seen = ""

    def read_until(self, text: str) -> str:
        """Everything printed up to `text`, since the last time."""
        start = len(self.seen)
        while text not in self.seen[start:]:
            character = self.process.stdout.read(1)
            assert character, self.seen
            self.seen += character
        return self.seen[start:]

    def digits(self, until: str) -> tuple[str, str]:
        """The code shown before a question: in Western and in Arabic-Indic numerals."""
        shown = self.read_until(until)
        western = re.search(r"^ +(\d{4} \d{4})$", shown, re.MULTILINE | re.ASCII)
        arabic = re.search(r"^ +([٠-٩]{4} [٠-٩]{4})$", shown, re.MULTILINE)
        return western[1], arabic[1]

    def type(self, text: str) -> None:
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()


@pytest.fixture
def terminals(template, tmp_path, pair):
    a, _ = pair
    c = at(tmp_path, "gamma")
    a.run("counterpart", "add", tmp_path / "gamma.card")
    c.run("counterpart", "add", tmp_path / "alpha.card")
    running = [Terminal(a, "gamma"), Terminal(c, "alpha")]
    yield a, c, *running
    for one in running:
        one.process.kill()
        one.process.wait()
        one.process.stdin.close()
        one.process.stdout.close()


def test_two_officers_read_to_each_other_and_both_are_verified(terminals):
    a, c, here, there = terminals
    mine, mine_arabic = here.digits("Their eight digits")
    theirs, _ = there.digits("Their eight digits")
    assert "half" not in here.seen, "our half is shown only once their digits are in"
    here.type("12")
    here.read_until("A code has eight digits")
    here.read_until("Their eight digits")
    here.type(theirs)
    there.type(mine_arabic)
    half_here, _ = here.digits("Their half of the code")
    half_there, arabic_there = there.digits("Their half of the code")
    assert half_here != half_there
    here.type("0000 0000" if half_there != "0000 0000" else "1111 1111")
    assert "2 tries are left" in here.read_until("Their half of the code")
    here.type(arabic_there)
    here.read_until("Did it fit on their side too?")
    here.type("y")
    there.type(half_here)
    there.read_until("Did it fit on their side too?")
    there.type("y")
    assert (here.process.wait(10), there.process.wait(10)) == (0, 0)
    assert all(one.run("counterpart", "list")["counterparts"][-1]["verified"] for one in (a, c))
    assert mine != theirs


def test_a_swapped_card_fails_three_times_and_nothing_is_verified(terminals):
    a, _, here, there = terminals
    here.digits("Their eight digits")
    there.digits("Their eight digits")
    here.type("1234 5678")
    for tries in ("2 tries are left", "1 try is left"):
        here.read_until("Their half of the code")
        here.type("1234 5678")
        here.read_until(tries)
    here.read_until("Their half of the code")
    here.type("1234 5678")
    here.read_until("error: verify-mismatch: ")
    assert here.process.wait(10) == 1
    assert not next(c for c in a.run("counterpart", "list")["counterparts"] if c["alias"] == "gamma")[
        "verified"
    ]
