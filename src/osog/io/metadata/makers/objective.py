"""Optics from the name of an objective, which is the same engraving with all makers."""

from __future__ import annotations

import re
from typing import Any

from osog.io.metadata.numbers import number, possible
from osog.io.micrograph import Known, Optics

_MAGNIFICATION = re.compile(r"(?<![\d.,])(\d{1,3}(?:[.,]\d+)?)\s*[xX×](?![a-zA-Z])")
# 63x/1.40, 20x / 0.8, 100×/1.4
_SLASH = re.compile(r"[xX×]\s*/\s*([01][.,]\d+)")
_WORD = re.compile(r"\bN\.?\s?A\.?\s*[:=]?\s*([01][.,]\d+)", re.I)
# Nikon writes 60x 1.40 and 60x1.40; Olympus UPLSAPO 60X 1.35
_BESIDE = re.compile(r"\d\s*[xX×]\s*([01][.,]\d{1,2})(?!\d)")
INDICES = {
    "air": 1.0,
    "dry": 1.0,
    "water": 1.333,
    "glycerol": 1.473,
    "oil": 1.518,
}
"""Index of refraction of immersions by name, for green light at 23 °C."""
_WORDS = {
    "air": "air", "dry": "dry",
    "water": "water", "wasser": "water", "waterdipping": "water", "w": "water", "wi": "water",
    "glyc": "glycerol", "glycerol": "glycerol", "glycerin": "glycerol", "glycerine": "glycerol",
    "oil": "oil", "öl": "oil", "o": "oil", "oi": "oil", "oel": "oil",
}  # fmt: skip


def of_objective(name: Any, source: str) -> Optics:
    """Read magnification, numerical aperture and immersion from a name.

    Parameters
    ----------
    name : str
        Such as ``Plan-Apochromat 63x/1.40 Oil DIC M27``.
    source : str
        Of the name; each number's own says that it is from a name.
    """
    if not isinstance(name, str):
        return Optics()
    said = f"{source}, name of the objective"
    found: dict[str, Any] = {}
    scales = {m[1] for m in _MAGNIFICATION.finditer(name)}
    if len(scales) == 1:
        found["magnification"] = possible("magnification", number(scales.pop()), said)
    for pattern in (_WORD, _SLASH, _BESIDE):
        match = pattern.search(name)
        if match:
            found["numerical_aperture"] = possible("numerical_aperture", number(match[1]), said)
            break
    found["immersion_index"] = immersion(_liquid(name), said)
    return Optics(**found)


def immersion(word: Any, source: str) -> Known | None:
    """Index of an immersion by its name, None for ``Multi``, ``Other`` and names unknown."""
    liquid = _WORDS.get(str(word).strip().casefold())
    return None if liquid is None else Known(INDICES[liquid], f"{source}, immersion {liquid}")


def _liquid(name: str) -> str | None:
    """The one liquid that a name has; of several, as on lenses with a collar for them, none."""
    found = {_WORDS[w] for w in re.findall(r"[a-zöäü]+", name.casefold()) if w in _WORDS}
    return found.pop() if len(found) == 1 else None


__all__ = ["INDICES", "immersion", "of_objective"]
