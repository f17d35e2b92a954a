"""The watch over connections sees two threads in one of them; what opens, reads and writes here stays in its own."""

from __future__ import annotations

import threading

import pytest

from app.holdings import browsing
from tests.support import threads
from tests.support.sites import copied, indicator, problems, take


@pytest.fixture
def watch(store_template, tmp_path):
    with threads.watched() as wrong, copied(store_template, tmp_path) as found:
        yield found.alpha, wrong


def elsewhere(act):
    """Do something in another thread, and wait for it."""
    raised = []

    def run():
        try:
            act()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="other")
    thread.start()
    thread.join()
    assert raised == []


def test_one_writer_and_a_reader_for_each_thread_is_how_it_is_meant(watch):
    alpha, wrong = watch
    take(alpha, indicator(1))
    elsewhere(lambda: take(alpha, indicator(2)))
    elsewhere(lambda: browsing.show(alpha, indicator(2)["id"]))
    assert browsing.show(alpha, indicator(1)["id"]).row.id == indicator(1)["id"]
    assert problems(alpha) == []
    assert wrong == []


@pytest.mark.parametrize("fetched", [False, True])
def test_a_reader_in_another_thread_is_seen(watch, fetched):
    alpha, wrong = watch
    reader = alpha.database.read()
    rows = reader.execute("SELECT 1 UNION SELECT 2")
    elsewhere(rows.fetchone if fetched else lambda: reader.execute("SELECT 1"))
    assert [one.partition(":")[0] for one in wrong] == ["a reader in another thread"]
    assert "other" in wrong[0]


def test_two_threads_in_one_connection_at_once_are_seen(watch):
    alpha, wrong = watch
    with alpha.database.write() as tx:

        def other():
            # As if it asked for something; really to ask would spoil memory.
            with tx.watched.using("execute"):
                pass

        waiting = iter([other])
        tx.set_progress_handler(lambda: sum(bool(elsewhere(one)) for one in waiting), 1)
        tx.execute("SELECT count(*) FROM object").fetchone()
        tx.set_progress_handler(None, 0)
    assert [one.partition(":")[0] for one in wrong] == ["two threads at once"]
