"""Guesses of the modality, the likeliest first, each with its reason."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from osog.recognition.bodies import bright_bodies, dark_bodies, stands_out
from osog.recognition.field import field_of
from osog.recognition.relief import relief
from osog.recognition.rings import rings
from osog.scene import MODALITY_TITLES

if TYPE_CHECKING:
    from osog.recognition.field import Array, Field

_FAINTEST = 0.03
"""Share from which on a guess is told."""
_FLOOR = 0.04
"""What no measure excludes."""


@dataclass(frozen=True)
class ModalityGuess:
    """What may have made the contrast of a picture.

    Attributes
    ----------
    kind : str
        Of a modality, as in a scene file: ``dic``.
    title : str
        Its name in words.
    share : float
        How much of the evidence is for it, 0 … 1; all guesses of a picture sum up to at most 1.
        It orders guesses and is no probability.
    reason : str
        A sentence that says what in the picture speaks for it.
    azimuth_deg : float or None
        For DIC the direction of the shear from +x towards +y, if the bodies are denser than what
        they lie in; else the opposite one.
    in_focus : bool or None
        For brightfield whether most bodies are in focus.
    """

    kind: str
    title: str
    share: float
    reason: str
    azimuth_deg: float | None = None
    in_focus: bool | None = None


def guess_modality(image: Any) -> list[ModalityGuess]:
    """Guess from a picture alone how a microscope made its contrast.

    Level and sign of the contrast tell dark fields from bright ones; one-sidedness DIC and its
    direction; rings about common centres coherent light; bright rims about bodies that are dark
    throughout phase contrast; dark outlines and lost light brightfield. In a dark field, hollow
    bodies tell scattered light, flat, long or coloured ones crossed polarisers.

    Parameters
    ----------
    image : array_like, shape (Y, X) or (Y, X, 3)
        Grey levels or colours, as the camera gave them: the level of the empty field counts.

    Returns
    -------
    list of ModalityGuess
        The likeliest first; none where nothing stands out from the noise of a bright field.

    Raises
    ------
    ValueError
        For an image that is not of this shape, is smaller than 32 × 32 pixels, or is constant.

    Notes
    -----
    It cannot tell confocal and light-sheet pictures from widefield fluorescence, shadowgraphs from
    brightfield, nor iSCAT from holograms of small particles; pictures without bodies, or full of
    them, give weak guesses.
    """
    field = field_of(image)
    weights: dict[str, float] = {}
    told: dict[str, str] = {}
    more: dict[str, dict[str, Any]] = {}
    carrier = _step(field.carrier, 0.3, 0.05)
    dark = _step(0.2 - field.foot, 0.0, 0.02) * _step(math.log(max(field.rise, 1e-9)), 0.0, 0.2)
    phase = dark if field.negative else 0.0
    weights["off_axis_hologram"] = carrier
    told["off_axis_hologram"] = (
        f"One pair of fringe frequencies holds {field.carrier:.0%} of the contrast."
    )
    weights["phase"] = (1 - carrier) * phase
    told["phase"] = "Values lie below 0, as no camera's do, and bodies rise above an empty 0."
    rest = (1 - carrier) * (1 - phase)
    if dark > _FAINTEST:
        for kind, (share, words) in _in_dark_field(field).items():
            weights[kind], told[kind] = rest * dark * share, words
    if dark < 1 - _FAINTEST:
        contrast, noise = field.contrast()
        if carrier < 0.5 and dark < 0.5 and not stands_out(contrast, noise):
            return []
        for kind, (share, words, known) in _in_bright_field(contrast, noise).items():
            weights[kind], told[kind] = rest * (1 - dark) * share, words
            more[kind] = known
    total = max(sum(weights.values()), 1e-30)
    guesses = [
        ModalityGuess(
            kind, _title(kind, more.get(kind, {})), weight / total, told[kind], **more.get(kind, {})
        )
        for kind, weight in weights.items()
        if weight / total >= _FAINTEST
    ]
    return sorted(guesses, key=lambda guess: -guess.share)


def _in_dark_field(field: Field) -> dict[str, tuple[float, str]]:
    """Shares and reasons of modalities whose empty field is dark."""
    found = bright_bodies(field.grey, field.level)
    dip = _step(found.dip, 0.12, 0.03)
    flat = _step(1.15 - found.flatness, 0.0, 0.05) * _step(found.length, 2.2, 0.2)
    colour = _step(field.colour, 0.15, 0.03)
    polarised = 1 - (1 - flat) * (1 - colour)
    weights = {
        "fluorescence": (1 - dip) * (1 - polarised),
        "darkfield": dip * (1 - polarised),
        "polarized": polarised,
    }
    begun = "Bright bodies in a dark field"
    words = {
        "fluorescence": f"{begun}, brightest in their middle; confocal and light-sheet pictures "
        "look alike.",
        "darkfield": f"{begun}, their middle {found.dip:.0%} darker than their rims.",
        "polarized": f"{begun}, in colours that differ from body to body."
        if colour > flat
        else f"{begun}, long ones of even brightness.",
    }
    return {kind: ((weight + _FLOOR), words[kind]) for kind, weight in weights.items()}


def _in_bright_field(contrast: Array, noise: float) -> dict[str, tuple[float, str, dict[str, Any]]]:
    """Shares, reasons and what else is known of modalities whose empty field is bright."""
    side, ring, bodies = relief(contrast), rings(contrast), dark_bodies(contrast, noise)
    coherent = _step(ring.count, 6.5, 0.5) * _step(ring.share, 0.7, 0.05)
    sided = _step(side.strength, 0.055, 0.008) * _step(side.agreement, 0.78, 0.03)
    sided *= 1 - 0.9 * coherent
    left = (1 - coherent) * (1 - sided)
    filled = _step(bodies.filled, 0.8, 0.06) * _step(bodies.halo, 0.17, 0.025)
    kept = _step(0.06 - abs(bodies.net), 0.0, 0.012)  # defocus moves light, and loses none
    zernike = filled * (1 - kept)
    added = _step(bodies.net, 0.25, 0.04)  # light from below adds to that of the glass
    in_focus = bodies.balance < 0.45 and bodies.net < -0.1
    rims = (
        f"bright fringes reach {bodies.balance:.0%} of the dark ones' contrast"
        if bodies.balance > 0
        else "nothing is brighter than the field"
    )
    about = f"Rings change sign {ring.count} times about a common centre"
    return {
        "dic": (
            sided + _FLOOR,
            f"One-sided relief: contrast summed up along {side.azimuth_deg:.0f}° is as bodies that "
            "are denser than their medium make it; lighter ones would mean the opposite direction.",
            {"azimuth_deg": round(side.azimuth_deg, 1)},
        ),
        "hologram": (
            coherent * (1 - added) + _FLOOR / 2,
            f"{about}, as light of a laser makes them; iSCAT of small particles looks alike.",
            {},
        ),
        "reflection": (
            coherent * added,
            f"{about}, and more light is added than taken away.",
            {},
        ),
        "iscat": (
            0.15 * coherent * (1 - added),
            f"{about}; it is iSCAT if the light came from the side of the objective.",
            {},
        ),
        "phase_contrast": (
            left * zernike + _FLOOR / 2,
            "Bodies are dark throughout, with a bright halo about them.",
            {},
        ),
        "brightfield": (
            left * (1 - zernike) + _FLOOR,
            f"No rings far out and no relief; {rims}, so most bodies are "
            f"{'in' if in_focus else 'out of'} focus.",
            {"in_focus": in_focus},
        ),
    }


def _title(kind: str, known: dict[str, Any]) -> str:
    title = MODALITY_TITLES[kind]
    if known.get("in_focus") is None:
        return title
    return f"{title}, {'in' if known['in_focus'] else 'out of'} focus"


def _step(value: float, at: float, width: float) -> float:
    """Rise from 0 to 1 about a place."""
    return 1.0 / (1.0 + math.exp(-min(max((value - at) / width, -50.0), 50.0)))
