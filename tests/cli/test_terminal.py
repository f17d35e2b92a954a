"""What reaches the terminal: nothing that acts there, whole documents, and the truth about what was done."""

from __future__ import annotations

import json
import os
import subprocess

from app import direction, messages
from app.cli import base
from app.holdings.query import FILTERS
from tests.cli.conftest import CLI, bundle, indicator

ACTS = "\x1b]0;owned\x07\u202egpj.exe\u009b31m"
"""Sets a terminal's title, turns text round, begins a sequence in one character."""


def said(site, *args, **more):
    """Run a command in words, with the process as it is given; returns what is done."""
    command = [CLI, "--home", site.home, "--passphrase-file", site.passphrase, *args]
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
    return subprocess.run(
        [*map(str, command)],
        stdin=subprocess.DEVNULL,
        **({"env": site.env()} | given),
    )


def test_the_name_of_a_file_in_a_drop_does_nothing_in_the_terminal(pair, tmp_path):
    a, _ = pair
    mail = tmp_path / "mail"
    mail.mkdir()
    a.run("drop", "add", "harbour", mail, "--with", "beta")
    (mail / f"{ACTS}.age").write_bytes(b"x")
    (mail / os.fsdecode(b"\xff\xfe.age")).write_bytes(b"x")
    done = said(a, "drop", "sync")
    assert done.returncode == 3
    assert not any(c in done.stdout.decode() for c in ACTS if not c.isprintable()), done.stdout
    assert len(a.run("drop", "sync", ok=(3,))["refused"]) == 2


def test_what_a_counterpart_wrote_does_nothing_where_json_is_read_by_eye(pair, tmp_path):
    a, b = pair
    a.run("request", "--to", "beta", "--text", ACTS, "--out", tmp_path / "ask.age")
    b.run("receive", tmp_path / "ask.age")
    shown = said(b, "--json", "request", "list").stdout.decode()
    assert not any(c in shown for c in ACTS if not c.isprintable())
    assert json.loads(shown)["requests"][0]["text"] == ACTS


def test_wrong_usage_is_told_without_acting(site):
    for args in (("receive", "x", ACTS), (ACTS,), (f"--{ACTS}",), ("accept", ACTS)):
        done = said(site, *args)
        assert done.returncode == 2
        assert not any(c in done.stderr.decode() for c in ACTS if not c.isprintable()), done.stderr


def test_a_command_without_its_second_word_is_told_what_there_is(site):
    done = said(site, "retention")
    assert done.returncode == 2
    assert "[U+000A]" not in done.stderr.decode()
    assert "\n  purge " in done.stderr.decode()


def test_an_act_whose_result_cannot_be_said_is_not_told_as_a_failure(pair, tmp_path):
    a, _ = pair
    a.run("import", bundle(tmp_path / "b.json", indicator(1)))

    def release(name, how, **more):
        args = ("release", "--to", "beta", "--all", "--out", tmp_path / name)
        return said(a, *how, *args, **more)

    with open("/dev/full", "wb") as full:
        for number, how in enumerate(((), ("--json",))):
            done = release(f"full{number}", how, stdout=full)
            assert (done.returncode, (tmp_path / f"full{number}").is_file()) == (3, True)
            assert done.stderr.startswith(b"error: output-lost: "), done.stderr
    with open("/dev/full", "wb") as full:
        done = release("deaf", (), stdout=full, stderr=full)
        assert (done.returncode, (tmp_path / "deaf").is_file()) == (3, True)
        assert said(a, "accept", "no number", stderr=full).returncode == 2
        assert said(a, "counterpart", "show", "nobody", stderr=full).returncode == 1
    done = release("closed", (), stdout=None, preexec_fn=lambda: os.close(1))
    assert (done.returncode, (tmp_path / "closed").is_file()) == (3, True)
    reader, writer = os.pipe()
    os.close(reader)
    done = release("piped", (), stdout=writer)
    os.close(writer)
    assert (done.returncode, (tmp_path / "piped").is_file(), done.stderr) == (3, True, b"")


def test_a_terminal_that_knows_few_letters_is_told_all_the_same(site, tmp_path):
    site.run("import", bundle(tmp_path / "b.json", indicator(1, name="\u0641\u0627\u0646\u0648\u0633")))
    few = site.env() | {"PYTHONIOENCODING": "ascii"}
    assert b"\\u0641" in said(site, "list", env=few).stdout
    found = json.loads(said(site, "--json", "list", env=few).stdout)
    assert found["objects"][0]["name"] == "\u0641\u0627\u0646\u0648\u0633"


def test_a_folder_whose_name_is_no_text_is_wrong_usage(site, tmp_path):
    odd = tmp_path / os.fsdecode(b"odd\xff")
    odd.mkdir()
    done = said(site, "drop", "add", "here", ".", "--with", "nobody", cwd=odd)
    assert (done.returncode, b"UTF-8" in done.stderr) == (2, True), done.stderr


def test_in_arabic_columns_and_sentences_keep_their_order_whatever_is_in_them():
    messages.use_language("ar")
    try:
        rows = [
            direction.shown(row) for row in base.table([("beta", "2026-11-26", "x"), ("تقرير", "1", "خ")])
        ]
        assert rows == [
            "\u200f\u2068beta\u2069   \u20682026-11-26\u2069  \u2068x\u2069",
            "تقرير  1           خ",
        ]
        assert base.told("  beta: لا اتفاقية").startswith("\u200f")
        assert base.told("beta 2026-11-26") == "beta 2026-11-26"
        assert base.why("no-agreement").endswith(")")
        assert direction.shown(base.why("no-agreement")).endswith("(\u2068no-agreement\u2069)")
    finally:
        messages.use_language("en")
    assert [*base.table([("beta", "1"), ("gamma", "22")])] == ["beta   1", "gamma  22"]


def test_arabic_is_isolated_for_the_eye_and_not_in_a_document(site):
    arabic = ("--language", "ar")
    done = said(site, *arabic, "counterpart", "verify", "nobody (v2.1)")
    assert done.returncode == 1
    assert "\u2068nobody (v2.1)\u2069" in done.stderr.decode()
    assert done.stderr.decode().startswith("error: counterpart-unknown: ")
    document = said(site, *arabic, "--json", "practice").stdout.decode()
    assert all(not any(c in step for c in "\u2066\u2068\u2069") for step in json.loads(document)["steps"])
    assert any("الوارد" in step for step in json.loads(document)["steps"])


def test_a_missing_option_names_its_values_in_words_on_one_line(site):
    done = said(site, "agreement", "propose", "--to", "b")
    assert done.returncode == 2
    assert "[U+" not in done.stderr.decode()
    assert "clear, green, amber" in done.stderr.decode()


def test_the_help_of_search_names_every_filter(site):
    words = said(site, "search", "--help").stdout.decode()
    assert [name for name in FILTERS if f" {name}:" not in words] == []


def test_without_a_display_the_window_does_not_practise_on_what_was_named(site):
    done = subprocess.run(
        [str(CLI.parent / "mithaq"), "--home", str(site.home)],
        env={
            name: value for name, value in site.env().items() if "DISPLAY" not in name and "QT_" not in name
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    assert done.returncode == 1
    assert "mithaq-cli" in done.stderr.decode()
    assert not done.stdout


def test_a_stage_is_named_as_soon_as_it_begins_with_a_number_where_there_is_one(monkeypatch):
    told = []
    monkeypatch.setattr(base, "tell", lambda text, nl: told.append(text.strip("\r\x1b[K").strip()))
    notice = base._progress()
    for step in ((0, 0, "pages"), (0, 0, "structure"), (3, 9, "check"), (4, 9, "check"), (5, 0, "words")):
        notice(*step)
    assert told == [
        "Checking every page",
        "Checking the structure",
        "Checking 3/9",
        "Checking the words of the indexes 5",
    ]
