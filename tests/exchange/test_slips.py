"""What goes with a package on paper, and what is urgent in the outbox."""

from __future__ import annotations

import pytest

from app import messages, printed
from app.exchange import counterparts, outbox, slips
from tests.support.sites import indicator, release, sealed_last, take


@pytest.fixture
def arabic():
    messages.use_language("ar")
    yield
    messages.use_language("en")


def test_a_slip_says_what_for_whom_and_by_which_hash(met):
    take(met.alpha, indicator(1))
    release(met.alpha, "beta", reference="2026/17 <b>&", note="secret words")
    record = sealed_last(met.alpha, "beta")
    found = slips.slip(met.alpha, "beta", record.seq)
    assert found.sha256 == record.sha256.hex()
    text, page = "\n".join(printed.slip(found)), printed.slip_page(found)
    for paper in (text, page):
        digits = "".join(c for c in paper if c in "0123456789abcdef")
        assert record.sha256.hex()[:8] in paper
        assert len(digits) > 64
        assert "beta" in paper
        assert "indicator" not in paper
        assert "secret words" not in paper
    assert "2026/17 <b>&" in text
    assert "2026/17 &lt;b&gt;&amp;" in page
    assert "http" not in page
    assert "src=" not in page
    assert '<html dir="ltr">' in page


def test_a_slip_in_arabic_reads_from_the_right_and_codes_from_the_left(met, arabic):
    take(met.alpha, indicator(1))
    counterparts.rename(met.alpha, "beta", "\u0628\u064a\u062a\u0627")
    release(met.alpha, "\u0628\u064a\u062a\u0627")
    found = slips.slip(
        met.alpha, "\u0628\u064a\u062a\u0627", sealed_last(met.alpha, "\u0628\u064a\u062a\u0627").seq
    )
    page = printed.slip_page(found)
    assert '<html dir="rtl">' in page
    assert f"<bdi>{found.to}</bdi>" in page
    assert f'dir="ltr">{found.sha256[:8]} ' in page
    for line in printed.slip(found):
        assert line.count("\u2066") + line.count("\u2068") == line.count("\u2069")


def test_a_slip_does_not_tell_what_we_call_them(met):
    take(met.alpha, indicator(1))
    name = slips.read_card(counterparts.find(met.alpha.database.read(), "beta").card).name
    counterparts.rename(met.alpha, "beta", "the leaky ones")
    release(met.alpha, "the leaky ones")
    found = slips.slip(met.alpha, "the leaky ones", sealed_last(met.alpha, "the leaky ones").seq)
    assert found.to == name
    assert "leaky" not in printed.slip_page(found) + "".join(printed.slip(found))


def test_flash_stands_before_routine_while_it_is_under_way(met):
    take(met.alpha, indicator(1), indicator(2))
    release(met.alpha, "beta", indicator(1)["id"], priority="flash")
    release(met.alpha, "beta", indicator(2)["id"])
    first, second = outbox.listed(met.alpha, "beta")[:2]
    assert (first.priority, second.priority) == ("flash", "routine")
    assert second.seq > first.seq
    outbox.void(met.alpha, "beta", first.seq)
    assert outbox.listed(met.alpha, "beta")[0].seq == second.seq
