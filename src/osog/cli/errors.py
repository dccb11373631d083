"""What the command line says when it cannot do what it was asked."""

from __future__ import annotations

BAD_INPUT = 2
"""Exit code for a wrong option, scene or image."""
FAILED = 1
"""Exit code when the fault is not in what was given."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


class CommandError(ValueError):
    """Input that a command cannot use; the message names it and says what is allowed."""


def one_line(message: str) -> str:
    """Join the sentences of an error in one line.

    Parameters
    ----------
    message : str
        One sentence for each line.

    Returns
    -------
    str
    """
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return " ".join(lines) or "No reason was given."
