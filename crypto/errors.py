"""The one exception of this package: a stable code, and a detail for whoever debugs.

Callers branch on `code` and show their own sentence for it. `detail` never holds a secret, and is never shown
to an officer as it stands.
"""

from __future__ import annotations


class CryptoError(Exception):
    """Hostile, damaged or foreign bytes, or a key that does not fit. `code` is kebab-case and never changes meaning."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code
