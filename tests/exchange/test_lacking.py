"""What a counterpart says has not come: told to the officer in words, as far as it may still be true."""

from __future__ import annotations

import json

import pytest

from app import cli
from app.exchange import counterparts, epochs, outbox
from crypto.package import Ack
from tests.support.sites import PASSPHRASE, channel, indicator, receive, release, send, take


def lacks(site, name):
    """What is told of it, which every place says alike."""
    said = epochs.status(site, name).lacking
    assert next(one.lacks for one in counterparts.listed(site) if one.alias == name) == said
    return said


@pytest.fixture
def lost(met):
    """Of four packages the second and the third are lost; beta asked for them."""
    take(met.alpha, *map(indicator, range(4)))
    met.paths = [release(met.alpha, "beta", indicator(n)["id"]).package.path for n in range(4)]
    met.seqs = [one.seq for one in reversed(outbox.listed(met.alpha, "beta"))][-4:]
    for path in (met.paths[0], met.paths[3]):
        receive(met.beta, path)
    epochs.ask(met.beta, "alpha")
    met.asking = send(met.beta, "alpha")
    return met


def test_what_they_lack_is_told_until_it_is_acknowledged_or_void(lost):
    assert lacks(lost.alpha, "beta") == ()
    got = receive(lost.alpha, lost.asking)
    expected = ((lost.seqs[1], lost.seqs[2]),)
    assert got.lacking == lacks(lost.alpha, "beta") == expected
    # A package that asks for nothing more, from before, comes late: the newest counts.
    outbox.void(lost.alpha, "beta", lost.seqs[1])
    assert lacks(lost.alpha, "beta") == ((lost.seqs[2], lost.seqs[2]),)
    receive(lost.beta, lost.paths[2])
    receive(lost.alpha, send(lost.beta, "alpha"))
    assert lacks(lost.alpha, "beta") == ()


def test_an_older_package_that_comes_late_does_not_bring_an_old_want_back(lost):
    for path in lost.paths[1:3]:
        receive(lost.beta, path)
    newest = send(lost.beta, "alpha")
    assert receive(lost.alpha, newest).lacking == ()
    assert receive(lost.alpha, lost.asking).lacking == ()
    assert lacks(lost.alpha, "beta") == ()


def test_a_want_of_anything_names_only_what_is_under_way(world):
    take(world.alpha, indicator(1), indicator(2))
    first = release(world.alpha, "mallory", indicator(1)["id"]).package.seq
    second = release(world.alpha, "mallory", indicator(2)["id"]).package.seq
    ours = channel(world.alpha, "mallory").sending
    ack = Ack(
        epoch=bytes.fromhex(ours.epoch),
        upto=0,
        hash=None,
        have=((3, 2**53 - 1),),
        want=((1, 2**53 - 1),),
        holds=0,
    )
    got = receive(world.alpha, world.mallory.package(world.alpha, ack=ack))
    assert got.lacking == ((first, second),) == lacks(world.alpha, "mallory")
    # Of an epoch that is not ours it says nothing.
    stray = Ack(epoch=bytes(16), upto=0, hash=None, have=(), want=((1, 2),), holds=0)
    assert receive(world.alpha, world.mallory.package(world.alpha, ack=stray)).lacking == ()
    assert lacks(world.alpha, "mallory") == ()


def test_the_command_line_says_it_in_words(lost, tmp_path, capsys):
    receive(lost.alpha, lost.asking)
    lost.close_alpha()
    secret = tmp_path / "secret"
    secret.write_text(PASSPHRASE)
    run = ["--home", str(lost.folder / "alpha"), "--passphrase-file", str(secret)]
    between = f"{lost.seqs[1]}-{lost.seqs[2]}"
    for words, code in ((["channel", "show", "beta"], 3), (["counterpart", "show", "beta"], 0)):
        assert cli._run([*run, *words]) == code
        assert f"beta says that packages of ours have not come: {between}." in capsys.readouterr().out
    assert cli._run([*run, "counterpart", "list"]) == 0
    assert f"lacks {between}" in capsys.readouterr().out
    assert cli._run([*run, "--json", "channel", "show", "beta"]) == 3
    assert json.loads(capsys.readouterr().out)["lacking"] == [[lost.seqs[1], lost.seqs[2]]]
