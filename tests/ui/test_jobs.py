"""Work off the window's thread: results, refusals, cancelling, order of writing, stopping."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QThread
from PySide6.QtWidgets import QApplication

from app.jobs import Job
from app.messages import Refused
from tests.ui.driving import wait
from ui.jobs import Jobs, Task


@pytest.fixture
def jobs(qapp: QApplication) -> Iterator[Jobs]:
    made = Jobs()
    yield made
    ended: list[int] = []
    made.stop(then=lambda: ended.append(1))
    wait(lambda: ended, "the workers to end")


def test_result_comes_to_the_windows_thread(jobs: Jobs) -> None:
    seen: list[object] = []
    here = threading.get_ident()

    def work(_job: Job) -> int:
        return threading.get_ident()

    jobs.read(work, lambda there: seen.append((there, threading.get_ident())))
    wait(lambda: seen)
    there, back = seen[0]  # type: ignore[misc]
    assert there != here
    assert back == here


def test_refusal_comes_back(jobs: Jobs) -> None:
    seen: list[Refused] = []

    def work(_job: Job) -> None:
        raise Refused("disk-full")

    jobs.write(work, None, seen.append)
    wait(lambda: seen)
    assert seen[0].code == "disk-full"


def test_a_bug_is_told_and_nothing_else_stops(jobs: Jobs) -> None:
    crashed: list[object] = []
    seen: list[int] = []
    jobs.crashed.connect(crashed.append)

    def work(_job: Job) -> None:
        raise ZeroDivisionError

    jobs.write(work)
    jobs.write(lambda _job: 1, seen.append)
    wait(lambda: seen and crashed)
    assert isinstance(crashed[0], ZeroDivisionError)


def test_progress_and_cancel(jobs: Jobs) -> None:
    ended: list[str] = []
    steps: list[tuple[int, int, str]] = []

    def work(job: Job) -> None:
        for n in range(10_000):
            job.step(n, 10_000, "store")
            time.sleep(0.002)

    task = jobs.write(
        work, lambda _r: ended.append("done"), None, lambda: ended.append("cancelled"), title="Import"
    )
    task.progressed.connect(lambda *step: steps.append(step))
    wait(lambda: len(steps) > 1)
    assert steps[-1][1:] == (10_000, "store")
    task.cancel()
    wait(lambda: ended)
    assert ended == ["cancelled"]


def test_only_long_work_shows_a_card(jobs: Jobs) -> None:
    shown: list[Task] = []
    seen: list[int] = []
    jobs.began.connect(shown.append)
    jobs.read(lambda _job: 1, seen.append, title="short")
    wait(lambda: seen)
    jobs.read(lambda _job: time.sleep(0.6), lambda _r: seen.append(2), title="long")  # type: ignore[func-returns-value]
    wait(lambda: len(seen) == 2)
    assert [t.title for t in shown] == ["long"]


def test_writes_run_one_at_a_time_in_order(jobs: Jobs) -> None:
    order: list[int] = []
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> int:
        inside.append(number)
        most.append(len(inside))
        time.sleep(0.01)
        inside.remove(number)
        return number

    for number in range(5):
        jobs.write(lambda _job, number=number: work(number), order.append)  # type: ignore[misc]
    wait(lambda: len(order) == 5)
    assert order == [0, 1, 2, 3, 4]
    assert max(most) == 1


def test_a_worker_keeps_what_is_its_own(jobs: Jobs) -> None:
    # The store keeps a reader for each thread: a worker that forgot it would open another for every reading.
    local = threading.local()
    found: list[bool] = []

    def work(_job: Job) -> bool:
        known = hasattr(local, "reader")
        local.reader = True
        return known

    for _n in range(20):
        jobs.read(work, found.append)
    wait(lambda: len(found) == 20)
    assert found.count(False) <= 2


def test_stopping_forgets_results_and_runs_the_last_thing_elsewhere(qapp: QApplication) -> None:
    jobs = Jobs()
    seen: list[str] = []
    threads: list[object] = []

    def work(job: Job) -> None:
        while True:
            job.step(0, 0, "read")
            time.sleep(0.002)

    jobs.read(work, lambda _r: seen.append("result"))
    jobs.write(work, lambda _r: seen.append("result"))
    here = QThread.currentThread()
    jobs.stop(lambda: threads.append(QThread.currentThread()), lambda: seen.append("stopped"))
    assert not jobs.running
    wait(lambda: seen)
    assert seen == ["stopped"]
    assert threads[0] is not here
    jobs.read(lambda _job: 1, lambda _r: seen.append("late"))
    assert not jobs.running
