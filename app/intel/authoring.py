"""STIX 2.1 objects that are written here: through `stix2`, which refuses what the standard does not allow.

`stix2` takes most of a second to import, so that happens when something is written.
Sources: STIX 2.1 sections 3.2 (common properties), 4.5 (identity), 4.12 (note), 4.15 (opinion), 5.2 (sighting).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from app.intel import ids
from app.messages import Refused

STRUCTURE = frozenset(
    (
        *("type", "spec_version", "id", "created", "modified", "revoked"),
        *("object_marking_refs", "granular_markings"),
    )
)
"""What every object stands on, whatever its type."""

OPINIONS = ("strongly-disagree", "disagree", "neutral", "agree", "strongly-agree")


@cache
def needed(kind: str) -> frozenset[str]:
    """The properties without which an object of this type is not one; of a custom type those of all types."""
    from stix2 import registry

    found = registry.class_for_type(kind, "2.1")
    own = () if found is None else (name for name, one in found._properties.items() if one.required)
    return STRUCTURE.union(own)


def identity(id_: str, name: str, moment: str, markings: Sequence[str]) -> bytes:
    """An organisation."""
    return _made(
        "identity",
        id=id_,
        created=moment,
        modified=moment,
        name=name,
        identity_class="organization",
        object_marking_refs=list(markings),
    )


def sighting(
    about: str,
    by: str,
    moment: str,
    markings: Sequence[str],
    count: int | None,
    first: str,
    last: str,
    words: str,
) -> bytes:
    """That `about` was seen by the identity `by`. "" and None leave a property out. Raises `Refused`
    (feedback-unusable).
    """
    return _made(
        "sighting",
        **_head("sighting", by, moment, markings),
        sighting_of_ref=about,
        where_sighted_refs=[by],
        count=count,
        first_seen=first or None,
        last_seen=last or None,
        description=words or None,
    )


def opinion(about: str, by: str, moment: str, markings: Sequence[str], opinion_: str, words: str) -> bytes:
    """What the identity `by` holds of `about`, one of `OPINIONS`. Raises `Refused` (feedback-unusable)."""
    return _made(
        "opinion",
        **_head("opinion", by, moment, markings),
        object_refs=[about],
        opinion=opinion_,
        explanation=words or None,
    )


def note(about: str, by: str, moment: str, markings: Sequence[str], words: str) -> bytes:
    """What the identity `by` has to say about `about`. Raises `Refused` (feedback-unusable)."""
    return _made("note", **_head("note", by, moment, markings), object_refs=[about], content=words)


def _head(kind: str, by: str, moment: str, markings: Sequence[str]) -> Mapping[str, Any]:
    return {
        "id": f"{kind}--{uuid.uuid4()}",
        "created_by_ref": by,
        "created": moment,
        "modified": moment,
        "object_marking_refs": list(markings),
    }


def _made(kind: str, **properties: Any) -> bytes:
    import stix2
    from stix2.exceptions import STIXError

    given = {name: value for name, value in properties.items() if value not in (None, [])}
    try:
        # Custom types may be spoken of too: the reference is checked here, and not against the types that stix2 knows.
        for ref in (given.get("sighting_of_ref"), *given.get("object_refs", ())):
            if ref is not None and ids.type_of(ref) is None:
                raise Refused("feedback-unusable", what="id")
        value = stix2.parse({"type": kind, "spec_version": "2.1"} | given, allow_custom=True, version="2.1")
        return msgspec.json.format(str(value.serialize()).encode(), indent=-1)
    except (STIXError, ValueError, TypeError) as error:
        raise Refused("feedback-unusable", what=str(error)[:300].rstrip(".")) from error
