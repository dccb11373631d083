"""Text for streams that know few letters, such as a Windows console or a redirected stdout.

What a stream cannot hold is written in other letters, σ as ``sigma`` and µm as ``um``: nothing
that was computed may be lost for want of a letter.
"""

from __future__ import annotations

import codecs
import sys
import unicodedata
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_HANDLER = "osog.spelled"
_SPELLINGS = {
    "µ": "u", "μ": "u", "σ": "sigma", "χ": "chi", "λ": "lambda", "κ": "kappa", "θ": "theta",
    "φ": "phi", "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "Δ": "Delta", "π": "pi",
    "ρ": "rho", "Σ": "Sigma", "Ω": "Ohm", "±": "+/-", "×": "x", "·": "*", "÷": "/", "−": "-",
    "‐": "-", "–": "-", "—": "-", "…": "...", "°": " deg", "′": "'", "‘": "'", "’": "'",
    "‚": ",", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "→": "->", "←": "<-", "↔": "<->",
    "⇒": "=>", "≈": "~", "≤": "<=", "≥": ">=", "≠": "!=", "∞": "inf", "√": "sqrt", "∂": "d",
    "∝": "~", "•": "*", "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "ø": "o", "Ø": "O", "ł": "l",
    "\N{FRACTION SLASH}": "/", "\N{NO-BREAK SPACE}": " ",
    "\N{NARROW NO-BREAK SPACE}": " ",
}  # fmt: skip


def spelled(text: str, encoding: str | None) -> str:
    """Text in letters that an encoding has.

    Parameters
    ----------
    text : str
    encoding : str or None
        None has all letters.

    Returns
    -------
    str
        The same where all can be written; a ``?`` stands for what has no other spelling.
    """
    name = encoding or "utf-8"
    try:
        text.encode(name)
    except UnicodeEncodeError:
        return "".join(_letter(letter, name) for letter in text)
    except LookupError:  # a stream of some program with a name of its own
        return text
    return text


def has_all_letters(encoding: str | None) -> bool:
    """Whether an encoding is one of Unicode."""
    return (encoding or "utf-8").lower().replace("_", "-").startswith("utf")


@contextmanager
def spelling_streams() -> Iterator[None]:
    """Let stdout and stderr write in other letters what they cannot write, while the block runs."""
    codecs.register_error(_HANDLER, _spell)
    changed: list[tuple[Any, str]] = []
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and stream.errors in ("strict", "backslashreplace"):
            changed.append((stream, stream.errors))
            reconfigure(errors=_HANDLER)
    try:
        yield
    finally:
        for stream, errors in changed:
            with suppress(OSError, ValueError):  # it has been closed, or nobody reads it
                stream.reconfigure(errors=errors)


def _spell(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    # Codecs that map bytes to letters all call themselves "charmap": only ASCII is sure.
    letters = error.object[error.start : error.end]
    return "".join(_letter(letter, "ascii") for letter in letters), error.end


def _letter(letter: str, encoding: str) -> str:
    if _can(letter, encoding):
        return letter
    plain = _SPELLINGS.get(letter)
    if plain is None:
        apart = unicodedata.normalize("NFKD", letter)
        bare = "".join(c for c in apart if not unicodedata.combining(c))
        plain = "".join(_SPELLINGS.get(c, c) for c in bare)
    return plain if _can(plain, encoding) else "?"


def _can(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
