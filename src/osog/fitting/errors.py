"""What a fit says when it cannot begin."""

from __future__ import annotations


class FitError(ValueError):
    """A fit that cannot be made; the message names the field, the value and what is allowed."""
