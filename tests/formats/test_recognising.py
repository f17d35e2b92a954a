"""What is held to the letter need not be found out again: the reader asks, and whoever asks or not ends in the same."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import sys
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.formats import stix, worker
from app.holdings import browsing, importing
from app.intel import reading
from app.intel.marking import Level
from app.jobs import Cancelled, Job, quiet
from app.messages import Refused
from tests.holdings.test_laws import emptied
from tests.support.sites import (
    AMBER,
    CLEAR,
    T0,
    T1,
    T2,
    bundle,
    copied,
    definition,
    indicator,
    make_template,
    problems,
    state,
)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return make_template(tmp_path_factory.mktemp("recognising"), met=False)


@pytest.fixture(scope="module")
def sites(template, tmp_path_factory):
    with (
        copied(template, tmp_path_factory.mktemp("one")) as one,
        copied(template, tmp_path_factory.mktemp("other")) as other,
    ):
        yield one.alpha, other.alpha


class Told(io.FileIO):
    """The pipe on which a reader is told what is recognised. It begins to read once that is clear."""

    def __init__(self, pipe):
        super().__init__(pipe, "wb")
        self.begun = threading.Event()
        self.said = []

    def write(self, said):
        self.said.append(bytes(said))
        written = super().write(said)
        self.begun.set()
        return written


@contextlib.contextmanager
def asked(text, pipe=Told):
    """The objects of a bundle from a reader, in a thread of this process, that asks; and what it was told."""
    (out, into), (answers, ours) = os.pipe(), os.pipe()
    told = pipe(ours)

    def work():
        told.begun.wait()
        with contextlib.suppress(BrokenPipeError), open(into, "wb", buffering=0) as file:
            worker.read(io.BytesIO(text), lambda frame: file.write(bytes(frame)), True, answers)

    reader = threading.Thread(target=work)
    reader.start()
    try:
        with stix.answers(open(out, "rb"), lambda: None, quiet(), Path(), told) as found:
            yield found, told.said
    finally:
        told.begun.set()
        reader.join()
        os.close(answers)


def imported(site, text, handling=None, job=None, name="in.json"):
    with asked(text) as (found, said):
        return importing.import_entries(site, found, name, handling, job or quiet()), said


def holdings(site):
    """All that is said of what is held, but for the times of the acts and the log."""
    return [
        (name, [row[:-1] for row in rows] if name == "origin" else rows)
        for name, rows in state(site)
        if not name.startswith("audit") and name != "meta"
    ]


# Few ids, moments, names and markings: collisions of every kind, and definitions that come late, or never.
DEFINED = definition(1, "amber")["id"]
contents = st.builds(
    lambda number, moment, name, mark, revoked: indicator(
        number, mark, modified=moment, name=name, revoked=revoked
    ),
    st.sampled_from([1, 1, 1, 2, 3]),
    st.sampled_from([T0, T1, T2]),
    st.sampled_from(["one", "two"]),
    st.sampled_from([None, CLEAR, AMBER, DEFINED]),
    st.sampled_from([None, None, None, True]),
)
files = st.lists(st.one_of(contents, st.just(definition(1, "amber"))), min_size=1, max_size=8)
acts = st.lists(
    st.tuples(files, st.sampled_from([Level.CLEAR, Level.AMBER]), st.sampled_from(["in.json", "other.json"])),
    min_size=1,
    max_size=4,
)


@given(acts, st.booleans())
@settings(max_examples=100, suppress_health_check=list(HealthCheck))
def test_asked_or_not_the_same_is_held(sites, acts, again):
    one, other = map(emptied, sites)
    for values, handling, name in [*acts, *(acts if again else [])]:
        text = bundle(*values)
        counts, _ = imported(one, text, handling, name=name)
        assert counts == importing.import_entries(other, reading.read_bundle(text), name, handling, quiet())
        assert holdings(one) == holdings(other)
    assert problems(one) == []


def test_what_is_held_is_recognised_and_not_looked_at(sites, monkeypatch):
    site = emptied(sites[0])
    text = bundle(*map(indicator, range(1, 1_001)))
    counts, said = imported(site, text)
    assert (counts.new, said) == (1_000, [worker.ASK_NOT])
    before = holdings(site)
    prepared = []
    real = worker.prepare
    monkeypatch.setattr(worker, "prepare", lambda entry: prepared.append(entry) or real(entry))
    counts, said = imported(site, text)
    assert (counts.read, counts.same) == (1_000, 1_000)
    assert prepared == []
    assert b"".join(said) == worker.ASK + b"\1" * 1_000
    assert holdings(site) == before


def test_where_nothing_is_held_it_soon_asks_seldom(sites):
    site = emptied(sites[0])
    imported(site, bundle(indicator(0)))
    counts, said = imported(site, bundle(*map(indicator, range(1, 3_001))))
    assert counts.new == 3_000
    assert len(b"".join(said[1:])) < 1_500


def test_one_that_is_treated_more_strictly_now_is_not_passed_by(sites):
    site = emptied(sites[0])
    text = bundle(indicator(1, None))
    imported(site, text, Level.CLEAR)
    counts, said = imported(site, text, Level.RED)
    assert (counts.same, said[1:]) == (1, [b"\0"])
    assert browsing.page(site, browsing.selection(), 1).rows[0].level == Level.RED
    assert imported(site, text, Level.AMBER)[1][1:] == [b"\1"]


@pytest.mark.parametrize("long", [0, 1, worker.ASKED_BYTES])
@pytest.mark.parametrize("between", [0, 40, 1_000])
def test_what_comes_after_another_content_of_it_is_looked_at(sites, long, between):
    """What the newer one was marked with holds what is unmarked at that level, also if it is on its way."""
    site = emptied(sites[0])
    imported(site, bundle(indicator(1, None)), Level.CLEAR)
    newer = indicator(1, AMBER, modified=T1, description="x" * long)
    others = [indicator(n) for n in range(2, 2 + between)]
    imported(site, bundle(newer, *others, indicator(1, None)), Level.CLEAR)
    imported(site, bundle(indicator(1, CLEAR, modified=T2)), Level.CLEAR)
    shown = browsing.show(site, indicator(1)["id"]).row
    assert (shown.marking, shown.handling) == (Level.CLEAR, Level.AMBER)


def test_great_texts_are_not_kept_for_an_answer(sites):
    site = emptied(sites[0])
    long = indicator(2, description="x" * worker.ASKED_BYTES)
    text = bundle(indicator(1), long, indicator(3))
    imported(site, text)
    counts, said = imported(site, text)
    assert counts.same == 3
    assert len(b"".join(said[1:])) == 2


def test_it_can_be_cancelled_while_all_is_recognised(sites):
    site = emptied(sites[0])
    text = bundle(*map(indicator, range(1, 2_001)))
    imported(site, text)
    before = state(site)

    class Impatient(Job):
        def step(self, done, total, stage):
            if done > 1_000:
                self.cancel()
            super().step(done, total, stage)

    with pytest.raises(Cancelled):
        imported(site, text, job=Impatient())
    assert state(site) == before


def test_a_file_that_comes_again_is_hardly_sent(sites, tmp_path, monkeypatch):
    site = emptied(sites[0])
    path = tmp_path / "in.json"
    path.write_bytes(bundle(*map(indicator, range(1, 4_001))))
    came, real = [0], stix._in_order

    def counted(batch):
        came[-1] += len(batch.objects)
        return real(batch)

    monkeypatch.setattr(stix, "_in_order", counted)
    for _ in range(2):
        with stix.opened(path) as entries:
            counts = importing.import_entries(site, entries, path.name, None, quiet())
        came.append(0)
    assert counts.same == came[0] == 4_000
    # Before it knows that it is to ask, it reads what goes into the pipe.
    assert came[1] < 3_500


def test_a_reader_that_is_done_before_it_is_told_anything_is_a_good_one(sites, tmp_path, monkeypatch):
    site = holding(sites[0])
    path = tmp_path / "in.json"
    path.write_bytes(bundle(indicator(7)))
    stix._READY.close()
    started, real = [], stix._started
    monkeypatch.setattr(stix, "_started", lambda source: started.append(real(source)) or started[-1])
    with stix.opened(path) as entries:
        started[0].wait(60)
        assert importing.import_entries(site, entries, path.name, None, quiet()).same == 1


def test_a_pipe_that_fails_is_an_error_of_the_reader(sites):
    class Failing(Told):
        def write(self, said):
            self.begun.set()
            raise OSError(5, "Input/output error")

    before = state(holding(sites[0]))
    with (
        pytest.raises(Refused, match="reader-died"),
        asked(bundle(indicator(7)), Failing) as (found, _),
    ):
        importing.import_entries(sites[0], found, "in.json", None, quiet())
    assert state(sites[0]) == before


def test_nothing_of_the_act_stays_with_its_source(sites):
    site = holding(sites[0])

    class Impatient(Job):
        def step(self, done, total, stage):
            raise Cancelled

    gc.collect()
    gc.disable()
    try:
        with pytest.raises(Cancelled), asked(bundle(indicator(7))) as (found, _):
            importing.import_entries(site, found, "in.json", None, Impatient())
        assert found.recognise is None
    finally:
        gc.enable()


def test_a_reader_that_gives_nothing_without_end_can_be_stopped(sites, tmp_path, monkeypatch):
    path = tmp_path / "in.json"
    path.write_bytes(bundle(indicator(1)))
    stix._READY.close()
    nothing = msgspec.msgpack.encode(worker.Batch((), (), 0))
    script = (
        f"import os\nwhile True: os.write(1, {(len(nothing).to_bytes(4, 'big') + b'B' + nothing)!r} * 1000)"
    )
    monkeypatch.setattr(stix, "command", lambda: [sys.executable, "-I", "-c", script])
    job = Job()
    threading.Timer(0.3, job.cancel).start()
    with pytest.raises(Cancelled), stix.opened(path, job) as entries:
        next(entries)


def test_no_pipe_stays_open(sites, tmp_path):
    path = tmp_path / "in.json"
    path.write_bytes(bundle(indicator(7)))

    def several():
        for _ in range(5):
            with stix.opened(path) as entries:
                list(entries)
            with stix.opened(path):
                pass
            with pytest.raises(Refused, match="file-unreadable"), stix.opened(tmp_path / "none"):
                pass
        stix._READY.close()
        return len(os.listdir("/proc/self/fd"))

    assert several() == several()


# Hostile ----------------------------------------------------------------------------------------------------


def instead(site, tmp_path, monkeypatch, script):
    """Import from a program that stands in for the reader; returns the code of why it is refused. Nothing changes."""
    path = tmp_path / "in.json"
    path.write_bytes(bundle(indicator(1)))
    stix._READY.close()
    helping = (
        "import os, socket\n"
        "def say(kind, text): os.write(1, len(text).to_bytes(4, 'big') + kind + text)\n"
        "socket.recv_fds(socket.socket(fileno=0), 1, 2)\n"
    )
    monkeypatch.setattr(stix, "command", lambda: [sys.executable, "-I", "-c", helping + script])
    before = state(site)
    with pytest.raises(Refused) as caught, stix.opened(path) as entries:
        importing.import_entries(site, entries, path.name, None, quiet())
    assert state(site) == before
    assert problems(site) == []
    return caught.value.code


def holding(site):
    emptied(site)
    imported(site, bundle(indicator(7)))
    return site


def question(*contents):
    return repr(msgspec.msgpack.encode(contents))


DIGEST = b"\7" * 32


@pytest.mark.parametrize(
    "script",
    [
        f"say(b'C', {question()})",
        f"say(b'C', {question(*[('indicator--1', DIGEST)] * (worker.BATCH + 1))})",
        f"say(b'C', {question((1, DIGEST))})",
        f"say(b'C', {question(('indicator--1', b''))})",
        f"say(b'C', {question(('indicator--1', DIGEST + b'x'))})",
        f"say(b'C', b'x' * {worker.MAX_SHORT_FRAME + 1})",
        f"say(b'C', {question(('indicator--1', 'text'))})",
        f"say(b'C', {question(('indicator--1',))})",
        f"say(b'C', {question(('indicator--1', DIGEST))})",
    ],
)
def test_a_question_of_another_shape_or_without_an_end_is_an_error(sites, tmp_path, monkeypatch, script):
    assert instead(holding(sites[0]), tmp_path, monkeypatch, script) == "reader-died"


def test_one_that_asks_and_never_listens_is_an_error(sites, tmp_path, monkeypatch):
    script = f"q = {question(*[('indicator--1', DIGEST)] * worker.BATCH)}\nwhile True: say(b'C', q)"
    assert instead(holding(sites[0]), tmp_path, monkeypatch, script) == "reader-died"


def test_one_that_asks_though_nothing_is_held_is_an_error(sites, tmp_path, monkeypatch):
    script = f"say(b'C', {question(('indicator--1', DIGEST))})"
    assert instead(emptied(sites[0]), tmp_path, monkeypatch, script) == "reader-died"


@pytest.mark.parametrize("id_", ["", "x" * 20_000, "\ud7ff\U0010ffff", "indicator--\0"])
def test_what_is_no_id_is_held_by_nobody(sites, tmp_path, monkeypatch, id_):
    end = msgspec.msgpack.encode(worker.End("", {}))
    script = f"say(b'C', {question((id_, DIGEST))})\nsay(b'E', {end!r})"
    # And nothing came.
    assert instead(holding(sites[0]), tmp_path, monkeypatch, script) == "not-stix"
