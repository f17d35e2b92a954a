"""What a command line may say that no command expects: one line and an exit code, never a traceback."""

from __future__ import annotations

import json
import os

import pytest

from app import audit, cli, vault
from app.exchange import inbox
from app.holdings import browsing
from tests.support.sites import CHEAP, PASSPHRASE, bundle, indicator, problems, receive, take, unlocked


@pytest.fixture
def run(world, capfd):
    """Run a command in alpha, in this process: (exit code, the JSON document, the code of the refusal)."""
    take(world.alpha, indicator(1))
    receive(world.alpha, world.mallory.intel(world.alpha, indicator(2)))
    world.close_alpha()
    passphrase = world.folder / "pass"
    passphrase.write_text(PASSPHRASE + "\n")
    before = ["--home", str(world.alpha.home), "--passphrase-file", str(passphrase), "--json"]

    def run(*arguments):
        code = cli._run([*before, *map(str, arguments)])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        errors = [line.split(": ")[1] for line in err.splitlines() if line.startswith("error: ")]
        assert len(errors) == (code == 1), err
        return code, json.loads(out) if out else None, errors[0] if errors else ""

    run.folder = world.folder
    run.home = world.alpha.home
    return run


NUMBERS = ("0", "-1", str(2**53 + 1), str(2**63), str(2**64), str(10**30), "1.5", "x", "١٢x")


@pytest.mark.parametrize(
    "before, after",
    [
        (("inbox", "show"), ()),
        (("accept",), ()),
        (("reject",), ("--reason", "x")),
        (("carry",), ("--to", "beta", "--out", "p")),
        (("audit", "list", "--before"), ()),
        (("list", "--limit"), ()),
    ],
)
def test_numbers_that_are_none_are_a_usage_error(run, before, after):
    for number in NUMBERS:
        assert run(*before, number, *after)[0] == 2, number


@pytest.mark.parametrize("number", [2, 2**53])
def test_numbers_of_nothing_are_refused(run, number):
    assert run("inbox", "show", number)[2] == "package-unknown"
    assert run("accept", number)[2] == "package-unknown"
    assert run("carry", number, "--to", "beta", "--out", run.folder / "p")[2] == "package-unknown"


def test_a_number_in_arabic_digits_is_a_number(run):
    assert run("inbox", "show", "١")[0] == 0


NOT_TEXT = (
    ("show", "\udcff"),
    ("ledger", "--id", "\udcff"),
    ("handling", "\udcff", "RED"),
    ("search", "\udcff"),
    ("reject", "1", "--reason", "\udcff"),
    ("release", "--to", "beta", "--all", "--note", "\udcff"),
    ("release", "--to", "beta", "--all", "--reference", "\udcff"),
    ("counterpart", "alias", "beta", "\udcff"),
    ("export", "--out", "\udcff"),
    ("import", "\udcff.json"),
)


def test_arguments_that_are_not_text_are_a_usage_error(run):
    before = sorted(os.listdir(os.fsencode(run.folder)))
    for arguments in NOT_TEXT:
        assert run(*arguments)[0] == 2, arguments
    assert sorted(os.listdir(os.fsencode(run.folder))) == before


def test_what_no_service_foresaw_is_one_line(run, monkeypatch):
    def broken(*arguments, **more):
        raise ZeroDivisionError("at last")

    monkeypatch.delenv("MITHAQ_TRACE", raising=False)
    with monkeypatch.context() as patched:
        patched.setattr(browsing, "page", broken)
        assert run("list")[::2] == (1, "internal")
    monkeypatch.setenv("MITHAQ_TRACE", "1")
    monkeypatch.setattr(browsing, "page", broken)
    with pytest.raises(ZeroDivisionError):
        run("list")


def test_check_says_what_is_wrong_and_fails_in_one_line(run):
    assert run("check")[0] == 0
    with unlocked(run.home) as alpha:
        with alpha.database.write() as tx:
            tx.execute("UPDATE audit SET entry = replace(entry, 'Haddad', 'Hadad') WHERE number = 1")
        assert problems(alpha) == ["audit-altered"]
    code, document, error = run("check")
    assert (code, document["ok"], error) == (1, False, "problems-found")
    assert [problem["code"] for problem in document["problems"]] == ["audit-altered"]
    code, document, error = run("audit", "verify")
    assert (code, document["ok"], error) == (1, False, "problems-found")


def test_of_several_files_the_good_ones_go_in_and_the_bad_one_is_named(run):
    good, bad = run.folder / "good.json", run.folder / "bad.json"
    good.write_bytes(bundle(indicator(7), indicator(8)))
    bad.write_bytes(b"hello")
    code, document, _ = run("import", bad, good)
    assert (code, document["new"]) == (3, 2)
    assert document["refused"] == [{"where": "bad.json", "code": "not-stix"}]
    code, _, error = run("import", bad, bad)
    assert (code, error) == (1, "nothing-imported")
    code, _, error = run("import", bad)
    assert (code, error) == (1, "not-stix")


def test_an_import_of_nothing_leaves_no_trace(run):
    bad = run.folder / "bad.json"
    bad.write_bytes(bundle({"type": "indicator"}))
    assert run("import", bad)[2] == "nothing-imported"
    with unlocked(run.home) as alpha:
        assert alpha.database.read().execute("SELECT count(*) FROM origin").fetchone() == (1,)


def test_an_export_is_logged_before_its_first_byte(run):
    target = run.folder / "out.json"
    target.write_bytes(b"mine")
    assert run("export", "--out", target)[2] == "target-exists"
    assert target.read_bytes() == b"mine"
    assert run("export", "--out", run.folder / "new.json")[0] == 0
    with unlocked(run.home) as alpha:
        acts = [entry.act for entry in audit.entries(alpha.database.read())]
    assert "export" in acts
    assert len(json.loads((run.folder / "new.json").read_bytes())["objects"]) == 1


def test_an_age_key_on_standard_output_is_json_if_asked(run):
    code, document, _ = run("age", "keygen")
    assert code == 0
    assert document["identity"].startswith("AGE-SECRET-KEY-PQ-")
    assert document["recipient"].startswith("age1pq1")


@pytest.mark.parametrize("content", [b"", b"\n \n", b"# only a remark\n", b"[]", b"[1]", b"[", b"\xff"])
def test_lists_of_ids_that_are_none(run, content):
    ids = run.folder / "ids"
    ids.write_bytes(content)
    assert run("accept", "1", "--ids", ids)[2] in ("ids-missing", "file-unreadable")
    with unlocked(run.home) as alpha:
        assert inbox.listed(alpha)[0].state == "pending"


def test_pipes_and_folders_where_a_file_should_be(run):
    os.mkfifo(run.folder / "fifo")
    for path in (run.folder / "fifo", run.folder, run.folder / "absent", "/dev/zero"):
        assert run("receive", path)[2] in ("file-unreadable", "package-damaged")
        assert run("which", path)[2] in ("file-unreadable", "package-damaged")
    for path in (run.folder, run.folder / "absent"):
        assert run("import", path)[2] == "file-unreadable"
        assert run("counterpart", "add", path)[2] in ("file-unreadable", "not-a-card")


def test_a_passphrase_file_that_is_none(run, capfd, tmp_path):
    home = str(run.home)
    for content in (b"", b"\xff\xfe", b"\0" * 10):
        (tmp_path / "bad").write_bytes(content)
        assert cli._run(["--home", home, "--passphrase-file", str(tmp_path / "bad"), "list"]) == 1
        assert capfd.readouterr().err.startswith("error: ")
    assert cli._run(["--home", home, "--passphrase-file", str(tmp_path), "list"]) == 1
    assert "file-unreadable" in capfd.readouterr().err


def test_a_fresh_key_with_a_recovery_kit_is_refused_for_what_it_is(run, tmp_path):
    kit = tmp_path / "kit"
    kit.write_text(" ".join(run("slot", "add", "--kind", "recovery")[1]["words"]))
    assert run("--recovery-file", kit, "slot", "rekey") == (1, None, "rekey-recovery")


@pytest.mark.parametrize(
    "command",
    [
        ("inbox", "list"),
        ("outbox",),
        ("agreement", "list"),
        ("consent", "list"),
        ("request", "list"),
        ("recall", "list"),
        ("sanitise", "list"),
        ("drop", "list"),
        ("ledger",),
        ("retention", "list"),
        ("dangling",),
        ("counterpart", "list"),
        ("list",),
        ("search", "nothing-has-it"),
        ("neighbours", indicator(1)["id"]),
        ("attachment", "list", indicator(1)["id"]),
    ],
    ids=" ".join,
)
def test_a_list_of_nothing_says_so_to_a_human(tmp_path, command, capfd):
    """And to no program: a JSON list is empty."""
    home, passphrase = tmp_path / "home", tmp_path / "pass"
    passphrase.write_text(PASSPHRASE + "\n")
    vault.create(home, "alpha", "JO", "R. Haddad", PASSPHRASE, CHEAP)
    before = ["--home", str(home), "--passphrase-file", str(passphrase)]
    if indicator(1)["id"] in command:
        path = tmp_path / "b"
        path.write_bytes(bundle(indicator(1)))
        assert cli._run([*before, "import", str(path)]) == 0
        capfd.readouterr()
    assert cli._run([*before, *command]) == 0
    assert len(capfd.readouterr().out.splitlines()) == 1
    assert cli._run([*before, "--json", *command]) == 0
    assert "nothing" not in capfd.readouterr().out
