"""What reading a micrograph says when it cannot."""

from __future__ import annotations


class MicrographError(ValueError):
    """A file that cannot be read as a micrograph; the message says what to do."""


class VolumeError(ValueError):
    """A file or array that cannot be used as a volume; the message says why."""
