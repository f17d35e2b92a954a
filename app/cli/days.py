"""A day as an option of a command."""

from __future__ import annotations

from typing import Any

import click

from app.exchange import wording
from app.messages import _


class Day(click.ParamType[str]):
    """A day, as 2027-12-31."""

    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text of a real day, unchanged."""
        if not wording.is_day(str(value)):
            self.fail(_("Give a day as 2027-12-31."), param, ctx)
        return str(value)
