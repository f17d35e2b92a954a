"""A clock that is days or years off: nothing that ended comes back, and there is one logged way out."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from app import cli, vault
from app.audit import clock
from app.exchange import agreements, asking, retention
from app.jobs import quiet
from app.messages import MESSAGES, Refused
from app.store.database import _steps
from app.store.installation import utc_now
from tests.exchange.test_embargo import warned
from tests.support.sites import (
    AMBER,
    PASSPHRASE,
    Clock,
    accept_all,
    acts,
    agreed,
    beside,
    indicator,
    problems,
    receive,
    release,
    state,
    take,
    verdicts,
)


def expired(site):
    return [one.state for one in agreements.listed(site)]


def test_no_act_under_a_clock_set_back_brings_back_what_ran_out(world):
    value = indicator(1, AMBER)
    take(world.alpha, value)
    agreed(world.alpha, world.beta, until="2026-06-02", open_until="2026-06-02")
    world.clock.pass_days(3)
    take(world.alpha, indicator(9))
    world.clock.pass_days(-3)
    for number in range(2, 5):
        # Each is the newest entry of the log, and bears an old day.
        take(world.alpha, indicator(number))
        assert expired(world.alpha) == ["expired"]
        assert verdicts(world.alpha, "beta", value["id"]) == {value["id"]: "period"}
        assert "clock-behind" in warned(world.alpha, "beta", value["id"])
    assert problems(world.alpha) == []


def test_a_consent_and_what_is_due_stay_over_too(trio):
    value = indicator(1, AMBER)
    agreed(trio.alpha, trio.beta, onward="consent", retention=2)
    take(trio.alpha, value)
    accept_all(trio.beta, release(trio.alpha, "beta", value["id"]).package.path)
    agreed(trio.beta, trio.gamma)
    asked = asking.request_onward(
        trio.beta, "alpha", [value["id"]], "gamma", "asked for", "", beside(trio.beta), quiet()
    )
    receive(trio.alpha, asked.package.path)
    given = asking.consent(trio.alpha, 1, None, "2026-06-02", beside(trio.alpha), quiet())
    receive(trio.beta, given.package.path)
    assert verdicts(trio.beta, "gamma", value["id"]) == {value["id"]: "leaves"}
    trio.clock.pass_days(5)
    take(trio.beta, indicator(8))
    trio.clock.pass_days(-400)
    take(trio.beta, indicator(9))
    assert verdicts(trio.beta, "gamma", value["id"])[value["id"]] in ("onward-consent", "period")
    assert next(one.state for one in asking.listed(trio.beta) if one.kind == "consent") == "expired"
    assert [one.overdue for one in retention.due(trio.beta).held] == [True]


def test_a_restore_does_not_turn_time_back(world, tmp_path):
    agreed(world.alpha, world.beta, until="2026-06-02", open_until="2026-06-02")
    world.clock.pass_days(3)
    take(world.alpha, indicator(9))
    world.clock.pass_days(-3)
    # The newest entry is old again when the backup is made.
    take(world.alpha, indicator(8))
    vault.back_up(world.alpha, tmp_path / "backup", quiet())
    old = Clock()
    old.pass_days(-1000)
    vault.restore(tmp_path / "again", tmp_path / "backup", PASSPHRASE, quiet(), clock=old)
    with vault.unlocked(tmp_path / "again", PASSPHRASE, clock=old) as again:
        assert expired(again) == ["expired"]
        assert clock.read(again).behind


def test_whoever_was_ahead_by_mistake_gets_out_by_a_logged_act(world):
    value = indicator(1, AMBER)
    take(world.alpha, value)
    agreed(world.alpha, world.beta)
    world.clock.pass_days(3650)
    take(world.alpha, indicator(9))
    assert expired(world.alpha) == ["expired"]
    world.clock.pass_days(-3650)
    assert expired(world.alpha) == ["expired"]
    assert clock.read(world.alpha) == clock.Reading(
        "2026-06-01T12:00:00.000Z", "2036-05-29T12:00:00.000Z", "2036-05-29", True
    )
    before = state(world.alpha)
    for code, day, reason in (
        # The officer says what day it is, and not merely that the machine is right.
        ("clock-other-day", "2026-06-02", "the battery was changed"),
        ("clock-unexplained", "2026-06-01", " "),
        ("reason-too-long", "2026-06-01", "x" * 1001),
    ):
        with pytest.raises(Refused) as error:
            clock.correct(world.alpha, day, reason)
        assert error.value.code == code in MESSAGES
        assert state(world.alpha) == before
    done = clock.correct(world.alpha, "2026-06-01", "the battery was changed")
    assert done == clock.Reading("2026-06-01T12:00:00.000Z", "2026-06-01T12:00:00.000Z", "2026-06-01", False)
    assert expired(world.alpha) == ["in-force"]
    assert acts(world.alpha)[-1] == "clock.corrected"
    assert verdicts(world.alpha, "beta", value["id"]) == {value["id"]: "leaves"}
    assert "clock-behind" not in warned(world.alpha, "beta", value["id"])
    # From here on it only grows again, and where nothing is wrong there is nothing to correct.
    with pytest.raises(Refused) as error:
        clock.correct(world.alpha, "2026-06-01", "once more")
    assert error.value.code == "clock-sound" in MESSAGES
    world.clock.pass_days(-1)
    take(world.alpha, indicator(7))
    assert clock.read(world.alpha).latest == "2026-06-01T12:00:00.000Z"
    assert problems(world.alpha) == []


def test_a_store_of_before_counts_by_the_latest_entry_it_has(world):
    world.clock.pass_days(30)
    take(world.alpha, indicator(1))
    world.clock.pass_days(-30)
    take(world.alpha, indicator(2))
    writer = world.alpha.database._writer
    writer.execute("DROP TABLE clock")
    writer.execute("DROP TRIGGER audit_clock")
    writer.executescript(next(text() for text in _steps() if "TRIGGER audit_clock" in text()))
    assert clock.read(world.alpha).latest == "2026-07-01T12:00:00.000Z"
    take(world.alpha, indicator(3))
    assert clock.read(world.alpha).latest == "2026-07-01T12:00:00.000Z"


def far():
    return datetime(2099, 1, 1, tzinfo=UTC)


def test_the_command_line_says_it_and_asks_for_the_day(world, tmp_path, capsys):
    world.close_alpha()
    home, secret = world.folder / "alpha", tmp_path / "secret"
    secret.write_text(PASSPHRASE)
    with vault.unlocked(home, PASSPHRASE, clock=far) as site:
        take(site, indicator(1))
    run = ("--home", str(home), "--passphrase-file", str(secret), "--json", "clock")
    assert cli._run([*run, "show"]) == 3
    assert '"behind":true' in capsys.readouterr().out
    assert cli._run([*run, "correct", "--today", "2001-01-01", "--reason", "x"]) == 1
    said = capsys.readouterr()
    # What every command says first, then the refusal.
    assert "(clock-behind)" in said.err
    assert "error: clock-other-day" in said.err
    assert cli._run([*run, "correct", "--today", str(utc_now().date()), "--reason", "x"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert set(shown) == {"now", "latest", "day", "behind"}
    assert shown["behind"] is False
