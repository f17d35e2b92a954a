"""How the command line shows observables that are held already."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.cli.base import table
from app.holdings.correlation import Hit
from app.messages import _
from app.words import ORIGINS, type_name, word

HITS_SHOWN = 10


def hit_document(hit: Hit) -> dict[str, Any]:
    """An observable that other objects are about already."""
    return {
        "kind": hit.observable.kind,
        "value": hit.observable.value,
        "objects": hit.count,
        "differing": hit.differing,
        "held": [
            {
                "id": one.id,
                "type": one.type,
                "name": one.name,
                "source": {"kind": one.kind, "name": one.source},
                "differs": one.differs,
            }
            for one in hit.holders
        ],
    }


def hit_lines(hits: Iterable[Hit]) -> list[str]:
    """Observables that are held already, each with the first object about it and from whom that is."""
    return list(
        table(
            (
                hit.observable.value[:60],
                hit.count,
                type_name(one.type),
                one.name[:60],
                word(ORIGINS, one.kind),
                one.source,
                _unlike(hit),
            )
            for hit in hits
            for one in hit.holders[:1]
        )
    )


def _unlike(hit: Hit) -> str:
    return _("{n} with another SHA-256").format(n=hit.differing) if hit.differing else ""
