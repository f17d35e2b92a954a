"""Which names people may give to things that others will read: on cards, on key slots.

Anything that could hide, reorder or break the line it stands in is refused; every script is welcome.
"""

from __future__ import annotations

import unicodedata

NAME_LIMIT = 200

# Control, format (bidi marks and the like), surrogate, private use, line and paragraph separators. Unassigned ones are
# let be: what is a good card must not depend on how old the reader's Unicode tables are.
_UNPRINTABLE = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
# Zero width joiner and non-joiner: needed to write Persian and others.
_JOINERS = "\u200c\u200d"


def usable(name: str) -> bool:
    """Whether a name is 1 to 200 characters, NFC, printable, without a blank at either end."""
    return (
        0 < len(name) <= NAME_LIMIT
        and name == name.strip()
        and all(unicodedata.category(c) not in _UNPRINTABLE or c in _JOINERS for c in name)
        and unicodedata.is_normalized("NFC", name)
    )
