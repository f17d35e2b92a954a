"""What an officer may set, with the value it has until then. Kept in the encrypted store as text; see app.officers.

Names of settings and their words are stable; a value the program does not know counts as the default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LANGUAGES = ("system", "en", "ar", "fr")
THEMES = ("system", "light", "dark", "high_contrast")
DENSITIES = ("normal", "compact")
HANDLINGS = ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED")
IDLE_MINUTES = range(1, 241)


@dataclass(frozen=True)
class Settings:
    """`handling` is given to an unmarked object on import; `idle_minutes` without a touch lock the window."""

    handling: str = "AMBER"
    idle_minutes: int = 10
    language: str = "system"
    theme: str = "system"
    density: str = "normal"


_WORDS = {"handling": HANDLINGS, "language": LANGUAGES, "theme": THEMES, "density": DENSITIES}


def acceptable(name: str, value: str) -> bool:
    """Whether `name` is a setting and `value` a value of it."""
    if name == "idle_minutes":
        return value.isascii() and value.isdigit() and int(value) in IDLE_MINUTES
    return value in _WORDS.get(name, ())


def read(stored: Mapping[str, str]) -> Settings:
    """The settings in force, given what is stored."""
    good = {name: value for name, value in stored.items() if acceptable(name, value)}
    idle = int(good.pop("idle_minutes", Settings.idle_minutes))
    return Settings(idle_minutes=idle, **good)
