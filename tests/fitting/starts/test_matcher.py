"""A template that is hidden in part is matched by the part that shows."""

from __future__ import annotations

import numpy as np
import pytest

from osog.fitting.starts.template_matching import Matcher, Template


def test_the_amplitude_of_a_particle_does_not_depend_on_what_a_mask_hides_of_it():
    y, x = np.mgrid[-8:8, -8:8]
    bump = np.exp(-(y**2 + x**2) / 18).astype(np.float32)
    template = Template(0.0, 0.5, 1.4, 0.0, bump, float(np.sum(bump.astype(float) ** 2)))
    image = np.zeros((40, 44))
    image[12:28, 14:30] = 0.7 * bump
    used = np.ones(image.shape, bool)
    used[:19] = False
    seen = np.where(used, image, 0.0)
    energy = float(np.sum(np.where(used[12:28, 14:30], bump, 0.0).astype(float) ** 2))
    reduction, amplitude = Matcher(seen, 16, used).chi2_reduction(template, (0.1, 3.0))
    assert amplitude[20, 22] == pytest.approx(0.7, rel=1e-3)
    assert reduction[20, 22] == pytest.approx(0.49 * energy, rel=1e-3)
    whole = Matcher(image, 16).chi2_reduction(template, (0.1, 3.0))[1]
    assert whole[20, 22] == pytest.approx(0.7, rel=1e-3)
