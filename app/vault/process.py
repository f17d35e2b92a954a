"""What a process that holds keys shuts to others."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from typing import Any

PR_SET_DUMPABLE = 4


def close_the_process() -> None:
    """No core dumps, no reading of this process's memory by others of the same user, private files by default."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        libc: Any = ctypes.CDLL(None)
        libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
