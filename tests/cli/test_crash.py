"""A crash or a failing disk at any system call of a command: it happened whole or not at all, and can be done again.

Each command runs as a real process under strace, which kills it at its n-th call of a kind, or lets that call
fail once. A sample here, every call in `make torture`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from app import vault
from app.courier.folder import TEMPORARY
from app.exchange import deciding, inbox, receipts
from app.holdings import attachments, browsing, importing, purge
from app.jobs import quiet
from app.messages import Refused
from app.store import counterparts as store
from app.store import packages
from app.store.installation import utc_now
from crypto import slots
from crypto.errors import CryptoError
from tests.support import strikes
from tests.support.sites import (
    CHEAP,
    PASSPHRASE,
    acts,
    bundle,
    channel,
    indicator,
    make_template,
    peer,
    problems,
    receive,
    release,
    sealed_last,
    take,
    unlocked,
)

CLI = Path(sys.executable).with_name("mithaq-cli")
DONE = {"output-lost": 3, "traces-left": 3, "unconfirmed": 3, "carry-failed": 1}
"""What is told, and with which exit code, of an act that was done: only the answer was lost, or it is not wiped yet, or
not sure to survive a power cut; or it was sealed, and waits.
"""
FILES = ("b.json", "large.json", "p.age", "note.bin", "out.bin", "ids", "all.backup", "second")
OWNER = indicator(1)["id"]
BEFORE = {
    "attach": "import",
    "save": "attach",
    "remove": "attach",
    "release": "attach",
    "receive": "release",
    "accept": "receive",
    "purge": "attach",
    "backup": "release",
    "move": "release",
    "restore": "backup",
    "compact": "release",
    "rekey": "release",
    "passphrase": "import",
    "remove passphrase": "passphrase",
    "recovery kit": "import",
}
"""Each act but the first, and the one whose outcome it works on."""
SECOND = "another horse battery staple"
IDS = {indicator(number)["id"] for number in (1, 2, 3)}
SAMPLE = {"signal=KILL": (0.45, 0.75, 0.96), "error=EIO": (0.6,), "error=ENOSPC": (0.35,)}
"""Where in a command's calls the sample strikes, of all of them."""
LIFE = (
    "purge",
    "backup",
    "move",
    "restore",
    "compact",
    "rekey",
    "passphrase",
    "remove passphrase",
    "recovery kit",
)
"""Acts on a whole installation, of which the sample strikes once."""


@dataclass(frozen=True)
class Act:
    """A command, the installation it works in, and how to tell what became of it.

    `done(site, folder)` is True or False and asserts that nothing lies between; `again(site, folder)` does it again.
    """

    name: str
    at: str
    arguments: tuple[str, ...]
    done: Callable
    again: Callable
    words: tuple[str, ...] = ()
    home: str = ""


def held(site):
    return {row.id for row in browsing.page(site, browsing.selection(), 1000).rows}


def imported(site, folder):
    found = held(site)
    assert found in (set(), IDS)
    return bool(found)


def import_again(site, folder):
    counts = take(site, *map(indicator, (1, 2, 3)))
    assert counts.new + counts.same == 3


def released(site, folder):
    entries = list(receipts.ledger(site, "beta"))
    assert len(entries) in (0, 3)
    files = list(site.outbox.iterdir())
    closed = packages.outbox_files(site.database.read())
    assert {path.name for path in files} == closed
    target = folder / "p.age"
    if not entries:
        assert not target.exists()
        assert channel(site, "beta").sending.next == 3
        return False
    record = sealed_last(site, "beta")
    assert (record.seq, channel(site, "beta").sending.next) == (3, 4)
    assert record.protection == "onetime"
    if target.exists():
        assert target.read_bytes() == (site.outbox / record.file).read_bytes()
    else:
        assert {entry.state for entry in entries} == {"sealed"}
    return True


def release_again(site, folder):
    package = release(site, "beta").package
    with unlocked(folder / "beta", utc_now) as beta:
        assert receive(beta, package.path).objects == 3
        if (folder / "p.age").exists():
            assert receive(beta, folder / "p.age").objects == 3


def received(site, folder):
    listed = inbox.listed(site)
    assert len(list(site.attachments.iterdir())) == len(listed)
    keys = [k for k in store.own_keys(site.database.read(), peer(site, "alpha").cid) if k.kind == "onetime"]
    upto = channel(site, "alpha").receiving.upto
    if not listed:
        assert (upto, len(keys)) == (2, 15)
        return False
    assert [(one.objects, one.state) for one in listed] == [(3, "pending")]
    assert upto == 3
    assert len(keys) == 14, "the key it was sealed to is erased in the same act"
    return True


def receive_again(site, folder):
    was = bool(inbox.listed(site))
    got = receive(site, folder / "p.age")
    assert got.status == ("duplicate" if was else "new")
    assert received(site, folder)


def accepted(site, folder):
    assert len(attachments.listed(site, OWNER) if held(site) else ()) == len(held(site)) / len(IDS)
    assert len(list(site.attachments.iterdir())) == 1
    states = {w.decision for w in packages.waiting(site.database.read(), inbox.listed(site)[0].number)}
    assert (held(site), states) in ((set(), {"pending"}), (IDS, {"accepted"}))
    return bool(held(site))


def accept_again(site, folder):
    if accepted(site, folder):
        with pytest.raises(Refused) as caught:
            deciding.accept(site, 1, None, quiet())
        assert caught.value.code in ("nothing-pending", "package-unknown")
    else:
        number = inbox.listed(site)[0].number
        assert deciding.accept(site, number, None, quiet()).accepted == 3


def attached(site, folder):
    found = attachments.listed(site, OWNER)
    assert len(found) == len(list(site.attachments.iterdir())) <= 1
    if found:
        assert taken_out(site) == (folder / "note.bin").read_bytes()
    return bool(found)


def taken_out(site):
    return b"".join(attachments.save(site, OWNER, "kept.bin", quiet()).pieces)


def attach_again(site, folder):
    if attached(site, folder):
        with pytest.raises(Refused):
            attachments.attach(site, folder / "note.bin", OWNER, "kept.bin", None, quiet())
    else:
        attachments.attach(site, folder / "note.bin", OWNER, "kept.bin", None, quiet())


def saved(site, folder):
    assert attached(site, folder)
    out = folder / "out.bin"
    assert not out.exists() or out.read_bytes() == (folder / "note.bin").read_bytes()
    assert not out.exists() or "attachment.saved" in acts(site), "what leaves is logged"
    return out.exists()


def save_again(site, folder):
    if not saved(site, folder):
        (folder / "out.bin").write_bytes(taken_out(site))


def removed(site, folder):
    return not attached(site, folder)


def remove_again(site, folder):
    if not removed(site, folder):
        attachments.remove(site, OWNER, "kept.bin")


def purged(site, folder):
    found = held(site)
    assert found in (IDS, IDS - {OWNER})
    assert len(list(site.attachments.iterdir())) == (OWNER in found)
    return OWNER not in found


def purge_again(site, folder):
    if not purged(site, folder):
        assert purge.purge_listed(site, [OWNER], quiet()).objects == 1


def restores(folder):
    """Whether there is a backup; if there is, it brings back all."""
    if not (folder / "all.backup").exists():
        return False
    vault.restore(folder / "looked at", folder / "all.backup", PASSPHRASE, quiet())
    with unlocked(folder / "looked at", utc_now) as site:
        assert held(site) == IDS
        assert problems(site) == []
    shutil.rmtree(folder / "looked at")
    return True


def backed_up(site, folder):
    assert not list(site.home.glob("backup-*"))
    there = restores(folder)
    assert there or "backup" not in acts(site)
    return there


def back_up_again(site, folder):
    (folder / "all.backup").unlink(missing_ok=True)
    vault.back_up(site, folder / "all.backup", quiet())


def moved(site, folder):
    there, retired = restores(folder), bool(vault.retired(site))
    assert there or not retired
    return retired


def move_again(site, folder):
    if not vault.retired(site):
        (folder / "all.backup").unlink(missing_ok=True)
        vault.back_up(site, folder / "all.backup", quiet(), move=True)


def restored(site, folder):
    if not (folder / "third").exists():
        return False
    with unlocked(folder / "third", utc_now) as third:
        assert held(third) == IDS
        assert problems(third) == []
    return True


def restore_again(site, folder):
    if not restored(site, folder):
        vault.restore(folder / "third", folder / "all.backup", PASSPHRASE, quiet())
    assert not list(folder.glob(".third-*"))


def compacted(site, folder):
    assert held(site) == IDS
    assert not (site.home / "store.db.copying").exists()
    return "store.compacted" in acts(site)


def rekeyed(site, folder):
    assert held(site) == IDS
    done = site.database.key != (folder / "key").read_bytes()
    said = [act for act in acts(site) if act.startswith("store.rekey")]
    assert (said[-1:] == ["store.rekeyed"]) == done
    return done


def logged(site):
    """Whether there is a second slot as the log has it: what came about, or was said to be and then taken back."""
    there = False
    for act in acts(site):
        if act in ("slot.added", "slot.removed"):
            before, there = there, act == "slot.added"
        elif act == "slots.undone":
            there = before
    return there


@cache
def opened(raw, passphrase):
    """The key that a passphrase yields from slots, if it does: the real cost of deriving it, paid once."""
    try:
        return slots.open(raw, passphrase)
    except CryptoError as error:
        if error.code != "wrong-passphrase":
            raise
        return None


def opens(site):
    """Whether the second passphrase opens. The first always does, and each that is listed."""
    raw = (site.home / "slots").read_bytes()
    listed = [one.id for one in slots.listed(raw)]
    assert listed in ([1], [1, 2])
    assert logged(site) == (listed == [1, 2])
    for number, passphrase in enumerate((PASSPHRASE, SECOND), 1):
        if number in listed:
            assert opened(raw, passphrase) == site.database.key
        else:
            assert opened(raw, passphrase) is None
    return listed == [1, 2]


def add_again(site, folder):
    if not opens(site):
        vault.add_slot(site, SECOND, "", device=False, cost=CHEAP)


def withdraw_again(site, folder):
    if opens(site):
        vault.remove_slot(site, 2)


def kit(site, folder):
    """Whether there is a recovery kit, beside the passphrase, which always opens."""
    raw = (site.home / "slots").read_bytes()
    assert opened(raw, PASSPHRASE) == site.database.key
    kinds = [one.kind for one in slots.listed(raw)]
    assert kinds in (["passphrase"], ["passphrase", "recovery"])
    assert logged(site) == (len(kinds) == 2)
    return len(kinds) == 2


def kit_again(site, folder):
    if not kit(site, folder):
        vault.add_recovery_slot(site, "")


ACTS = {
    one.name: one
    for one in (
        Act("import", "alpha", ("b.json", "--handling", "CLEAR"), imported, import_again),
        Act("attach", "alpha", ("note.bin", "--to", OWNER, "--name", "kept.bin"), attached, attach_again),
        Act(
            "save",
            "alpha",
            (OWNER, "kept.bin", "--out", "out.bin"),
            saved,
            save_again,
            ("attachment", "save"),
        ),
        Act("remove", "alpha", (OWNER, "kept.bin"), removed, remove_again, ("attachment", "remove")),
        Act("release", "alpha", ("--to", "beta", "--all", "--out", "p.age"), released, release_again),
        Act("receive", "beta", ("p.age",), received, receive_again),
        Act("accept", "beta", ("NUMBER",), accepted, accept_again),
        Act("purge", "alpha", ("--ids", "ids"), purged, purge_again),
        Act("backup", "alpha", ("all.backup",), backed_up, back_up_again),
        Act("move", "alpha", ("all.backup", "--move"), moved, move_again, words=("backup",)),
        Act("restore", "alpha", ("all.backup",), restored, restore_again, home="third"),
        Act("compact", "alpha", (), compacted, lambda site, folder: vault.compact(site, quiet())),
        Act(
            "rekey",
            "alpha",
            (),
            rekeyed,
            lambda site, folder: vault.rekey(site, PASSPHRASE, quiet()),
            words=("slot", "rekey"),
        ),
        Act(
            "passphrase",
            "alpha",
            ("--new-passphrase-file", "second"),
            lambda site, folder: opens(site),
            add_again,
            words=("slot", "add"),
        ),
        Act(
            "remove passphrase",
            "alpha",
            ("2",),
            lambda site, folder: not opens(site),
            withdraw_again,
            words=("slot", "remove"),
        ),
        Act("recovery kit", "alpha", ("--kind", "recovery"), kit, kit_again, words=("slot", "add")),
    )
}


@pytest.fixture(scope="session")
def stages(tmp_path_factory):
    """A folder for each command, as it stands just before it; and the calls that the command makes, in order."""
    if why := strikes.missing():
        pytest.skip(why)
    root = tmp_path_factory.mktemp("stages")
    folder = root / "import"
    folder.mkdir()
    make_template(folder, met=True, clock=utc_now)
    (folder / "pass").write_text(PASSPHRASE + "\n")
    (folder / "b.json").write_bytes(bundle(*map(indicator, (1, 2, 3))))
    for path in folder.glob("file-*"):
        path.unlink()
    (folder / "ids").write_text(OWNER)
    (folder / "second").write_text(SECOND + "\n")
    with unlocked(folder / "alpha", utc_now) as site:
        (folder / "key").write_bytes(site.database.key)
    # Two pieces of a file at rest, the second a short one.
    (folder / "note.bin").write_bytes(os.urandom((1 << 20) + 1000))
    for name, before in BEFORE.items():
        shutil.copytree(root / before, root / name)
        assert run(root / name, ACTS[before]).returncode in (0, 3)
    return {name: (root / name, calls(root, act)) for name, act in ACTS.items()}


def command(folder, act):
    arguments = list(act.arguments)
    if act.name == "accept":
        with unlocked(folder / act.at, utc_now) as site:
            arguments = [str(inbox.listed(site)[0].number)]
    return [
        *(CLI, "--home", folder / (act.home or act.at), "--passphrase-file", folder / "pass", "--json"),
        *(act.words or (act.name,)),
        *(folder / a if a in FILES else a for a in arguments),
    ]


def run(folder, act):
    return strikes.run(command(folder, act), folder)


def calls(root, act):
    """Every call that a command makes, in order."""
    folder = root / f"{act.name}-counted"
    shutil.copytree(root / act.name, folder)
    return strikes.calls(command(folder, act), folder, root / f"{act.name}.trace")


def strike(stages, tmp_path, act, call, fault):
    """Run a command of which one call dies or fails; then look at what is left, and do it again."""
    folder = tmp_path / f"{act.name}-{call}-{fault.split('=')[1]}"
    shutil.copytree(stages[act.name][0], folder)
    result, hit = strikes.strike(command(folder, act), folder, folder.with_suffix(".log"), call, fault)
    where = (str(call), fault, result.returncode, result.stderr)
    killed = "KILL" in fault
    with unlocked(folder / act.at, utc_now) as site:
        assert problems(site) == [], where
        done = act.done(site, folder)
        if killed and (call.thread is not None or result.returncode in (-9, 137)):
            assert result.returncode in (-9, 137), where
        elif result.returncode == 0:
            assert done, where
            json.loads(result.stdout)
        else:
            said = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
            assert len(said) == (not any('"error: ' in one for one in hit)), where
            codes = [line.split(":")[1].strip() for line in said]
            told = [DONE[code] for code in codes if code in DONE]
            assert (result.returncode, done) == ((told[0], True) if told else (1, False)), where
            assert "carry-failed" not in codes or not (folder / "p.age").exists(), where
        left = list(folder.glob(TEMPORARY + "*"))
        # What may be in the clear has no name before it is whole.
        assert not left or act.name not in ("save", "backup"), where
        if not killed:
            assert not [one for one in left if not (call.name == "unlink" and str(one) in hit[0])], where
        act.again(site, folder)
        assert act.name == "release" or act.done(site, folder), where
        assert problems(site) == [], where
    shutil.rmtree(folder)
    return done, result


@pytest.mark.parametrize("fault", SAMPLE)
@pytest.mark.parametrize("name", [name for name in ACTS if name not in LIFE])
def test_a_command_happens_whole_or_not_at_all(stages, tmp_path, name, fault):
    made = stages[name][1]
    for at in SAMPLE[fault]:
        strike(stages, tmp_path, ACTS[name], made[int(at * len(made))], fault)


@pytest.mark.parametrize("name", LIFE)
def test_an_act_on_the_whole_installation_happens_whole_or_not_at_all(stages, tmp_path, name):
    made = stages[name][1]
    strike(stages, tmp_path, ACTS[name], made[int(0.8 * len(made))], "signal=KILL")


def test_both_ends_are_met(stages, tmp_path):
    """Killed at the first call nothing has happened; at the last, everything: the sample strikes between the two."""
    made = stages["release"][1]
    assert not strike(stages, tmp_path, ACTS["release"], made[0], "signal=KILL")[0]
    assert strike(stages, tmp_path, ACTS["release"], made[-1], "signal=KILL")[0]


def test_no_backup_is_made_of_a_copy_that_is_not_whole(stages, tmp_path):
    """The last page of the copy to be written is one of those that its write-ahead log is folded into."""
    made = stages["backup"][1]
    packed = next(place for place, call in enumerate(made) if call.name == "write")
    page = [call for call in made[:packed] if call.name == "pwrite64"][-1]
    done, result = strike(stages, tmp_path, ACTS["backup"], page, "error=ENOSPC")
    assert not done
    assert result.stderr.startswith("error: disk-full: "), result.stderr


def test_a_purge_that_could_not_be_wiped_says_so_and_is_done(stages, tmp_path):
    """The last but one cut is that of the write-ahead log; the one before it, of the store's file."""
    cuts = [call for call in stages["purge"][1] if call.name == "ftruncate"]
    done, result = strike(stages, tmp_path, ACTS["purge"], cuts[-2], "error=ENOSPC")
    assert done
    assert result.stderr.startswith("error: traces-left: "), result.stderr


@pytest.mark.torture
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("fault", SAMPLE)
@pytest.mark.parametrize("name", ACTS)
def test_every_call_of_a_command(stages, tmp_path, name, fault):
    for call in stages[name][1]:
        strike(stages, tmp_path, ACTS[name], call, fault)


MANY = [
    indicator(
        number, pattern=f"[domain-name:value = 'host{number * 7919}.example']", description=f"no {number}"
    )
    for number in range(1000, 1000 + importing.MANY + 600)
]
"""More than an import takes before it lays indexes aside and makes them again at its end."""


def all_imported(site, folder):
    total = browsing.page(site, browsing.selection()).total
    assert total in (len(IDS), len(IDS) + len(MANY))
    return total > len(IDS)


def import_all_again(site, folder):
    counts = take(site, *MANY)
    assert counts.new + counts.same == len(MANY)


LARGE = Act(
    "large import",
    "alpha",
    ("large.json", "--handling", "CLEAR"),
    all_imported,
    import_all_again,
    ("import",),
)


@pytest.mark.torture
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("fault", SAMPLE)
def test_a_large_import_struck_here_and_there(stages, tmp_path, tmp_path_factory, fault):
    """At every call that is no write to a page, and at every 40th that is: there are two thousand, in one act."""
    root = tmp_path_factory.mktemp("large")
    folder = shutil.copytree(stages["attach"][0], root / LARGE.name)
    (folder / "large.json").write_bytes(bundle(*MANY))
    made = calls(root, LARGE)
    for place, call in enumerate(made):
        if call.name != "pwrite64" or place % 40 == 0 or place > len(made) - 20:
            strike({LARGE.name: (folder, made)}, tmp_path, LARGE, call, fault)
