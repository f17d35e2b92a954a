"""Work off the window's thread: results, refusals, cancelling, order of writing, stopping."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

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


def test_a_stage_is_shown_though_it_is_named_once_and_soon_after_another(jobs: Jobs) -> None:
    ended: list[bool] = []
    steps: list[tuple[int, int, str]] = []

    def work(job: Job) -> bool:
        for stage in ("pages", "structure", "check"):
            job.step(0, 0, stage)
        return True

    task = jobs.write(work, ended.append, title="Check")
    task.progressed.connect(lambda *step: steps.append(step))
    wait(lambda: ended)
    assert [stage for *_, stage in steps if stage] == ["pages", "structure", "check"]


def test_the_time_left_is_guessed_from_the_pace_of_the_stage(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("ui.jobs.time.monotonic", lambda: now[0])
    task = Task("Check", Job(), qapp)

    def left(seconds: float, *step: object) -> int | None:
        now[0] += seconds
        task.show(*step)  # type: ignore[arg-type]
        return task.seconds_left()

    assert left(100, 0, 0, "pages") is None
    assert left(0, 0, 1000, "check") is None
    assert left(10, 500, 1000, "check") == 11
    assert left(0, 0, 1000, "compare") is None
    assert left(2, 100, 1000, "compare") == 19
    # Another round.
    assert left(0, 0, 1000, "compare") is None
    assert left(4, 100, 1000, "compare") == 37


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


def test_work_that_is_to_be_alone_shares_the_store_with_none(jobs: Jobs) -> None:
    under_way: set[str] = set()
    met: list[frozenset[str]] = []
    done: list[str] = []

    def work(name: str) -> Callable[[Job], str]:
        def run(_job: Job) -> str:
            under_way.add(name)
            time.sleep(0.002)
            met.append(frozenset(under_way))
            under_way.discard(name)
            return name

        return run

    for number in range(30):
        jobs.read(work(f"read {number}"), done.append)
        if number % 10 == 5:
            jobs.write(work(f"alone {number}"), done.append, alone=True)
    wait(lambda: len(done) == 33)
    assert any(len(names) > 1 for names in met), "reading goes on side by side"
    assert all(len(names) == 1 for names in met if any(name.startswith("alone") for name in names))


def test_who_waits_to_be_alone_can_be_cancelled_and_lets_the_others_in(jobs: Jobs) -> None:
    go, reading = threading.Event(), threading.Event()
    seen: list[str] = []

    def read(_job: Job) -> None:
        reading.set()
        go.wait()

    jobs.read(read, lambda _none: seen.append("read"))
    reading.wait()
    task = jobs.write(
        lambda _job: seen.append("never"), None, None, lambda: seen.append("cancelled"), alone=True
    )
    jobs.read(lambda _job: None, lambda _none: seen.append("after"))
    task.cancel()
    wait(lambda: {"after", "cancelled"} <= set(seen))
    go.set()
    wait(lambda: "read" in seen)
    assert "never" not in seen


@pytest.mark.parametrize("alone", [False, True])
def test_stopping_interrupts_what_runs_but_not_what_runs_alone(qapp: QApplication, alone: bool) -> None:
    jobs = Jobs()
    began, ended = threading.Event(), threading.Event()
    interrupted: list[int] = []

    def work(job: Job) -> None:
        began.set()
        while not interrupted:
            job.step(0, 0, "")
            time.sleep(0.001)

    jobs.write(work, alone=alone)
    began.wait()
    jobs.stop(ended.set, interrupt=lambda: interrupted.append(1))
    wait(ended.is_set)
    assert bool(interrupted) is not alone


def test_what_failed_work_held_is_freed_in_its_own_thread(jobs: Jobs) -> None:
    freed: list[int] = []
    seen: list[Refused] = []

    class Held:
        def __del__(self) -> None:
            freed.append(threading.get_ident())

    def inner() -> None:
        held = Held()  # noqa: F841
        raise ValueError

    def work(_job: Job) -> None:
        held = Held()  # noqa: F841
        try:
            inner()
        except ValueError as error:
            raise Refused("disk-full", here=threading.get_ident()) from error

    jobs.write(work, None, seen.append)
    wait(lambda: seen)
    assert freed == [seen[0].facts["here"]] * 2
    assert seen[0].__traceback__ is not None


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("stopped", [False, True])
def test_what_work_holds_is_let_go_in_the_windows_thread(
    qapp: QApplication, fails: bool, stopped: bool
) -> None:
    """What is Qt's among it, a timer or the model of a table, would end in the worker otherwise."""
    gone: list[int] = []
    ended: list[int] = []

    class Held:
        def __del__(self) -> None:
            gone.append(threading.get_ident())

    def work(_held: Held, job: Job) -> None:
        while stopped:
            job.step(0, 0, "")
            time.sleep(0.01)
        if fails:
            raise Refused("disk-full")

    jobs = Jobs()
    for number in range(6):
        jobs.read(partial(work, Held()), lambda _none: ended.append(1), lambda _refused: ended.append(1))
        if not stopped:
            wait(lambda many=number: len(ended) > many)  # type: ignore[misc]
    end: list[int] = []
    jobs.stop(then=lambda: end.append(1))
    wait(lambda: end, "the workers to end")
    assert gone == [threading.get_ident()] * 6
