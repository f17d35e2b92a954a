"""Names of attachments: labels that an officer can read, type and save under. A name from outside is never a path.

Whatever comes, here or from a counterpart, is made into a name that is safe on every system: one component, no
control or bidi characters, no reserved device, no more than 200 bytes. The content is known by its hash, so
nothing is lost by it.
"""

from __future__ import annotations

import unicodedata

NAME_BYTES = 200
FALLBACK = "attachment"
_EXTENSION_BYTES = 16

_SEPARATORS = str.maketrans(dict.fromkeys('/\\:*?"<>|', "_"))
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_DEVICES = frozenset(
    (
        "con",
        "prn",
        "aux",
        "nul",
        "conin$",
        "conout$",
        *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³"),
    )
)


def safe(name: str) -> str:
    """A safe name, the same for one that is safe already."""
    text = "".join(c for c in name if unicodedata.category(c) not in _HIDDEN).translate(_SEPARATORS)
    text = unicodedata.normalize("NFC", text)
    # A leading dot hides a file, a leading hyphen is an option; Windows drops dots and blanks at the end.
    text = _shortened(_trimmed(text))
    # Once cut: what followed the blanks after a device's name may be gone.
    if text.split(".")[0].rstrip().lower() in _DEVICES:
        text = _shortened("_" + text)
    return text or FALLBACK


def numbered(name: str, number: int) -> str:
    """`name` with a number before its extension: what a second file of the same name is called."""
    stem, dot, extension = name.rpartition(".") if name.rfind(".") > 0 else (name, "", "")
    if len(extension.encode()) > _EXTENSION_BYTES:
        stem, dot, extension = name, "", ""
    tail = f" ({number}){dot}{extension}"
    return _cut(stem, NAME_BYTES - len(tail.encode())) + tail


def _trimmed(text: str) -> str:
    """Without what acts at either end; what a blank hid behind another comes off too."""
    while (shorter := text.strip().lstrip(".-~ ").rstrip(". ")) != text:
        text = shorter
    return text


def _shortened(text: str) -> str:
    """Cut to `NAME_BYTES` of UTF-8 in the stem, a usual extension kept."""
    if len(text.encode()) <= NAME_BYTES:
        return text
    stem, dot, extension = text.rpartition(".")
    if not dot or len(extension.encode()) > _EXTENSION_BYTES:
        stem, dot, extension = text, "", ""
    return _cut(stem, NAME_BYTES - len((dot + extension).encode())) + dot + extension


def _cut(stem: str, room: int) -> str:
    raw = stem.encode()
    return stem if len(raw) <= room else _trimmed(raw[:room].decode("utf-8", "ignore"))
