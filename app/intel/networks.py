"""Which observables a network has to do with: the networks around it, and everything inside it.

Observables are kept as normal text (`app.intel.observables`), in the order of their characters. What lies in a network
is then a few spans of that order: of an IPv4 address the figures before a point; of an IPv6 address the groups before a
colon, but that the longest run of noughts is left out (`::`) wherever it stands, so that each such place has a span of
its own.
Sources: RFC 4632 (prefixes), RFC 5952 (how an IPv6 address is written, as `ipaddress` does).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from app.intel.observables import Observable

_LARGEST = {"ipv4-addr": 8, "ipv6-addr": 16}
"""Bits that the largest network anybody names leaves fixed."""
_GROUPS = 8
"""Of an IPv6 address."""
_HEX = "0123456789abcdef"


class Span(NamedTuple):
    """Observables of a kind whose values are not less than `first` and less than `behind`. If there is a `form`, the
    address (without the length of a network) and a colon behind it fit that, as GLOB has it, and the address has
    `least` to `most` colons.
    """

    kind: str
    first: str
    behind: str
    form: str = ""
    least: int = 0
    most: int = 0


def is_network(one: Observable) -> bool:
    """Whether an observable is an address or a network."""
    return _network(one) is not None


def networks(one: Observable) -> tuple[Observable, ...]:
    """The networks that an address or a network lies in, the largest first; () for what is neither."""
    network = _network(one)
    if network is None:
        return ()
    lengths = range(_LARGEST[one.kind], network.prefixlen)
    return tuple(Observable(one.kind, str(network.supernet(new_prefix=length))) for length in lengths)


def inside(one: Observable) -> tuple[Span, ...]:
    """Where the addresses and the networks are that overlap a network, but for `networks` around it; () for what is
    none, holds one address, or holds all there are.
    """
    network = _network(one)
    if network is None or not 0 < network.prefixlen < network.max_prefixlen:
        return ()
    packed, length = network.network_address.packed, network.prefixlen
    if one.kind == "ipv4-addr":
        return tuple(_spans4(packed, length))
    groups = [packed[at] << 8 | packed[at + 1] for at in range(0, len(packed), 2)]
    return tuple(_spans6(groups, length))


def _network(one: Observable) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(one.value) if one.kind in _LARGEST else None
    except ValueError:
        return None


def _spans4(octets: Sequence[int], length: int) -> Iterator[Span]:
    whole, bits = divmod(length, 8)
    head = "".join(f"{octet}." for octet in octets[:whole])
    if not bits:
        yield Span("ipv4-addr", head, f"{head[:-1]}/")
        return
    # Figures do not stand in the order of numbers: 13 is between 128 and 129.
    end = ".", "/"
    if whole == 3:
        end = "", "0"  # behind the slash of a network
    for octet in range(octets[whole], octets[whole] + (1 << 8 - bits)):
        yield Span("ipv4-addr", f"{head}{octet}{end[0]}", f"{head}{octet}{end[1]}")


def _spans6(groups: Sequence[int], length: int) -> Iterator[Span]:
    whole, bits = divmod(length, 16)
    fixed = list(groups[:whole])
    if not bits:
        yield from _written(fixed, ("",))
        return
    yield from _written(fixed, tuple(_numbers(groups[whole], groups[whole] + (1 << 16 - bits) - 1)))
    if groups[whole] == 0:
        yield from _written([*fixed, 0], ("",))


def _written(fixed: Sequence[int], then: Sequence[str]) -> Iterator[Span]:
    """How addresses begin that have these groups, and behind them one of the forms `then`, none of which is nought;
    where that is "", anything.
    """
    figures = [f"{group:x}:" for group in fixed]
    for form in then:
        behind = f"{form}:*" if form else "*"
        known = len(fixed) + bool(form)
        yield _span(f"{''.join(figures)}{behind}", 0, _GROUPS, known)
        for start, end in _noughts(fixed):
            head = f"{''.join(figures[:start])}:" if start else "::"
            colons = head.count(":")
            if end < len(fixed) or form:
                # These are left out and no others, so the rest is as long as it is.
                if end - start > 1:
                    colons += _GROUPS - end - 1
                    yield _span(f"{head}{''.join(figures[end:])}{behind}", colons, colons, known)
            else:
                # As may be what follows; never one group alone.
                rest = _GROUPS - max(end, start + 2)
                if rest >= 0:
                    yield _span(f"{head}*", 0, colons + max(rest - 1, 0), known)


def _span(form: str, least: int, most: int, groups: int) -> Span:
    first = form.partition("*")[0].partition("[")[0]
    if groups == _GROUPS and not first.endswith("::"):
        first = first.removesuffix(":")  # the one behind the address
    return Span("ipv6-addr", first, first + "\U0010ffff", form, least, most)


def _noughts(groups: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(start, end) of each run of noughts."""
    at = 0
    for nought, run in groupby(groups, lambda group: group == 0):
        size = len(list(run))
        if nought:
            yield at, at + size
        at += size


def _numbers(least: int, most: int) -> Iterator[str]:
    """Forms of the hexadecimal numbers from `least`, nought left out, to `most`: all those with the same first bits.
    Each begins with figures as far as they make a difference, so that a span holds little else.
    """
    for digits in range(1, 5):
        free = digits - 1
        while free and (least >> 4 * free) == (most >> 4 * free) and least:
            free -= 1
        low, high = max(least, 1 << 4 * (digits - 1)), min(most, (1 << 4 * digits) - 1)
        if low > high:
            continue
        head = f"{least >> 4 * (free + 1):x}" if least >> 4 * (free + 1) else ""
        for figure in _HEX[low >> 4 * free & 15 : (high >> 4 * free & 15) + 1]:
            yield f"{head}{figure}{f'[{_HEX}]' * free}"
