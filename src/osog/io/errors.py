"""What reading a micrograph says when it cannot."""

from __future__ import annotations


class MicrographError(ValueError):
    """A file that cannot be read as a micrograph; the message says what to do."""
