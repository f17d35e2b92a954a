"""A network finds what lies in it and around it, and an address the networks around it, as `ipaddress` has it."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.holdings import browsing
from app.holdings.query import QUERY_LIMIT, parse
from app.intel.networks import inside
from app.intel.observables import Observable
from app.messages import Refused
from app.store import conditions
from app.store.driver import dbapi2
from tests.support.sites import copied, indicator, take, thing

# Few figures, so that the same ones meet; noughts, since they may be left out.
groups = st.sampled_from([0, 0, 0, 1, 5, 0x10, 0x15, 0x100, 0x2001, 0x8000, 0xDB8, 0xFE80, 0xFFFF])
addresses6 = st.lists(groups, min_size=8, max_size=8).map(
    lambda some: ipaddress.IPv6Address(b"".join(one.to_bytes(2, "big") for one in some))
)
octets = st.sampled_from([0, 1, 2, 9, 10, 12, 13, 99, 100, 127, 128, 192, 200, 255])
addresses4 = st.lists(octets, min_size=4, max_size=4).map(lambda some: ipaddress.IPv4Address(bytes(some)))


def lengths(most):
    return st.integers(0, most) | st.sampled_from(range(0, most + 1, 8))


def nets(addresses, most):
    return st.builds(
        lambda one, bits: ipaddress.ip_network((one, bits), strict=False), addresses, lengths(most)
    )


def near(network, bits):
    """An address in a network, or just beside it."""
    size = network.num_addresses
    number = (int(network.network_address) + bits % (3 * size) - size) % (1 << network.max_prefixlen)
    return type(network.network_address)(number)


nets4, nets6 = nets(addresses4, 32), nets(addresses6, 128)


@pytest.fixture(scope="module")
def base():
    """The table of observables alone."""
    found = dbapi2.connect(":memory:", isolation_level=None)
    found.execute(
        "CREATE TABLE observable (val TEXT, kind ANY, oid INTEGER, PRIMARY KEY (val, kind, oid)) STRICT, WITHOUT ROWID"
    )
    yield found
    found.close()


def kind(one):
    return f"ipv{one.version}-addr"


def written(one):
    """A network of one address is that address."""
    return str(one).removesuffix(f"/{one.max_prefixlen}")


LARGEST = {4: 8, 6: 16}


def overlaps(typed, held):
    """Whether a network that is typed finds one that is held; None where either would do."""
    typed, held = (ipaddress.ip_network(one) for one in (typed, held))
    if typed == held or (held.subnet_of(typed) and typed.prefixlen > 0):
        return True
    # A network of half the world is of interest to nobody, but may lie beside what is.
    return typed.subnet_of(held) and (held.prefixlen >= LARGEST[held.version] or None)


@pytest.mark.parametrize("some, addresses", [(nets4, addresses4), (nets6, addresses6)], ids=["IPv4", "IPv6"])
def test_a_network_finds_what_overlaps_it(base, some, addresses):
    @settings(max_examples=100)
    @given(some, st.lists(addresses | some, max_size=8), st.lists(st.integers(0, 1 << 128), max_size=8))
    def law(typed, held, bits):
        held = sorted({written(one) for one in [*held, *(near(typed, more) for more in bits)]})
        base.execute("DELETE FROM observable")
        for number, one in enumerate(held):
            for other in (conditions.code(kind(typed)), "other"):
                base.execute(
                    "INSERT INTO observable VALUES (?, ?, ?)",
                    (one, other, number if other != "other" else -1),
                )
        (asked,) = parse(f"network:{typed}").either
        one = conditions._either(base, asked)
        found = {row[0] for row in base.execute(one.query, one.values)}
        wanted = {number: overlaps(typed, value) for number, value in enumerate(held)}
        assert found - {number for number, one in wanted.items() if one is None} == {
            number for number, one in wanted.items() if one
        }
        # As a word it asks for the same, and more.
        (word,) = parse(str(typed)).either
        assert (word.values, word.spans) == (asked.values, asked.spans)

    law()


@given(nets4 | nets6, st.integers(0, 1 << 128))
def test_few_spans_hold_a_network_and_little_else(network, bits):
    spans = inside(Observable(kind(network), written(network)))
    assert len(spans) <= 128
    assert (spans == ()) == (network.prefixlen in (0, network.max_prefixlen))
    address = near(network, bits)
    in_one = [span for span in spans if span.first <= str(address) < span.behind]
    assert in_one or address not in network or not spans
    if network.version == 4 and spans:
        assert bool(in_one) == (address in network)
    for span in spans:
        assert span.first


HELD = {
    "address": thing("ipv4-addr", 1, value="192.0.2.77"),
    "indicator": indicator(2, pattern="[ipv4-addr:value = '192.0.2.1' OR domain-name:value = 'a.example']"),
    "smaller": indicator(3, pattern="[ipv4-addr:value ISSUBSET '192.0.2.64/26']"),
    "larger": thing("ipv4-addr", 4, value="192.0.0.0/16"),
    "beside": thing("ipv4-addr", 5, value="192.0.20.1"),
    "six": thing("ipv6-addr", 6, value="2001:0DB8:0::0001"),
    "six beside": thing("ipv6-addr", 7, value="2001:db80::1"),
    "six network": indicator(8, pattern="[ipv6-addr:value ISSUBSET '2001:db8:0:7::/64']"),
    "text": thing("note", 9, content="Block 192.0.2.0/24 at once", object_refs=[indicator(2)["id"]]),
}


@pytest.mark.parametrize(
    "text, names",
    [
        ("192.0.2.0/24", "address indicator smaller larger text"),
        ("192[.]0.2[.]0/24", "address indicator smaller larger text"),
        ("١٩٢.٠.٢.٠/٢٤", "address indicator smaller larger text"),
        ("192.0.2.0/255.255.255.0", "address indicator smaller larger"),
        ("192.0.2.99/24", "address indicator smaller larger"),
        ("network:192.0.2.0/24", "address indicator smaller larger"),
        ("network:192.0.2.0/24 type:indicator", "indicator smaller"),
        ("network:192.0.2.0/25 at", ""),
        ("192.0.2.64/26", "address smaller larger"),
        ("network:192.0.2.77", "address smaller larger"),
        ("network:192.0.2.128/25", "larger"),
        ("network:192.0.0.0/8", "address indicator smaller larger beside"),
        ("2001:db8::/32", "six | six network"),
        ("2001:DB8:0::/48", "six | six network"),
        ("network:2001:db8:0:7::1", "six network"),
        ("network:[2001:db8::1]:443", "six"),
        ("network:2001:db8::/64", "six"),
        ("value:192.0.2.64/26", "smaller"),
        ("0.0.0.0/0", ""),
        ("network:::/0", ""),
    ],
)
def test_what_officers_type_of_networks(held, text, names):
    wanted = names.split(" | ") if "|" in names else names.split() if names not in HELD else [names]
    assert set(browsing.ids(held, browsing.selection(text))) == {HELD[name]["id"] for name in wanted}


@pytest.fixture(scope="module")
def held(holdings_template, tmp_path_factory):
    with copied(holdings_template, tmp_path_factory.mktemp("held")) as found:
        take(found.alpha, *HELD.values())
        yield found.alpha


@pytest.mark.parametrize(
    "text", ["network:a.example", "network:192.0.2.0/33", "network:192.0.2", "network:x y"]
)
def test_what_is_no_network_is_refused(text):
    with pytest.raises(Refused, match="query-value"):
        parse(text)


@pytest.mark.parametrize("word", ["1.0.0.0/9", "::1", "f::/1", "network:8.0.0.0/9", "apt-28", "a:b", "a 1"])
def test_as_many_as_a_query_holds_are_answered_like_one(held, word):
    text = f"{word} " * (QUERY_LIMIT // (len(word) + 1))
    once = browsing.page(held, browsing.selection(f"{word} "))
    page = browsing.page(held, browsing.selection(text))
    assert (page.rows, page.total) == (once.rows, once.total)
