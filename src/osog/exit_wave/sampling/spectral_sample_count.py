"""How many wavelengths stand for a spectrum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.exit_wave.sampling.steps import at_least
from osog.geometry import half_extents
from osog.waves.evanescence import STEEPEST

if TYPE_CHECKING:
    from osog.exit_wave.sampling.grid_request import GridRequest, SceneFacts

_COUNTS = (3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64)


def spectral_sample_count(request: GridRequest) -> int:
    """Wavelengths for a spectrum: enough for its shape, and two more per fringe that it blurs.

    A draft takes one per fringe: between crossed polars 3 % of the contrast of crystals of up to
    two fringes.

    Δ (1/λ_short − 1/λ_long) fringes lie between both ends, with Δ the largest path difference. A
    number that the user set is kept.
    """
    facts, accuracy = request.facts, request.accuracy
    spectrum, own = facts.scene.microscope.spectrum, facts.scene.numerics.wavelengths
    if spectrum.monochromatic:
        return 1
    if own > 0:
        return own
    shape = accuracy.line if spectrum.one_line else accuracy.broad
    fringes = path_difference_um(facts) * (1 / facts.shortest_um - 1 / facts.longest_um)
    return at_least(shape + accuracy.per_fringe * fringes, _COUNTS, accuracy.most)


def path_difference_um(facts: SceneFacts) -> float:
    """Largest path difference that light of a scene interferes over.

    That of the defocused cone, of the bodies (index and birefringence), of a compensator, and of
    the way to a mirror and back; 0 where particles emit.
    """
    modality, batch = facts.scene.microscope.modality, facts.batch
    if modality.emits:
        return 0.0
    sine = min(facts.aperture / facts.index, STEEPEST)
    path = facts.defocus_um * facts.index * (1 - float((1 - sine**2) ** 0.5))
    if len(batch):
        with torch.no_grad():
            every = torch.arange(len(batch), device=batch.device)
            thickness = 2 * half_extents(batch, every)[:, 2]
            strength = batch.delta_index.abs() + batch.birefringence.abs()
            path += float((strength * thickness).max())
    path += modality.compensation_um
    path += 2 * facts.index * facts.below_mirror_um
    return path


__all__ = ["path_difference_um", "spectral_sample_count"]
