"""Light of weak slabs adds up, each with its own way to the last plane."""

from __future__ import annotations

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from osog.exit_wave import plan_sampling
from osog.exit_wave.first_order import first_order
from osog.exit_wave.illumination import light_points
from osog.rendering import Renderer
from osog.sample import Values, sample
from osog.scene import Scene
from osog.waves.plane_waves import ForwardWaves

SCENE = Scene.parse(
    {
        "grid": {"shape": [40, 48], "pixel_size_um": 0.2},
        "populations": [
            {
                "shape": {"kind": "sphere", "radius_um": 0.4},
                "material": {"index": 1.35},
                "particles": [
                    {"x_um": 3.0, "y_um": 4.0, "z_um": -9.0},
                    {"x_um": 5.0, "y_um": 3.0, "z_um": 0.0},
                    {"x_um": 6.0, "y_um": 5.0, "z_um": 7.0},
                ],
            }
        ],
        "microscope": {
            "modality": {"kind": "dic"},
            "numerical_aperture": 0.6,
            "condenser_numerical_aperture": 0.3,
        },
        "numerics": {"partial_coherence": "weak_object"},
    }
)


def test_every_slab_travels_to_the_last_plane() -> None:
    values = Values(SCENE, dtype=torch.float64)
    plan = plan_sampling(SCENE, sample(SCENE, 0))
    source, _ = light_points(values, plan)
    waves = ForwardWaves.of(plan, source, values.microscope.wavelength_um, values.medium.index)
    occupied = [1, 2, 6, 7, plan.slabs - 3]
    generator = torch.Generator().manual_seed(0)
    shape = (plan.slabs, *plan.grid_shape)
    phase, loss = (torch.rand(shape, generator=generator, dtype=torch.float64) for _ in range(2))
    found = first_order((phase, loss), occupied, waves, plan)
    inside = (slice(None), waves.rows[:, None], waves.columns)
    kappa = waves.kappa[inside]
    expected = torch.zeros_like(found)
    for j in occupied:
        spectrum = torch.fft.fft2(1j * phase[j] - loss[j], norm="forward")[inside[1:]]
        way = (plan.slabs - 1 - j) * plan.slab_um
        expected += spectrum * torch.exp(1j * kappa * way) * waves.stretch[:, None, None]
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


class Powers(TorchDispatchMode):
    """Counts powers of complex tensors, which take ten times as long as a product."""

    def __init__(self) -> None:
        super().__init__()
        self.of_fields = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        first = args[0] if args else None
        if "pow" in str(function) and isinstance(first, torch.Tensor) and first.is_complex():
            self.of_fields += first.numel() > 1000
        return function(*args, **(kwargs or {}))


def test_empty_slabs_between_particles_cost_no_power_of_a_field() -> None:
    with Powers() as powers:
        Renderer("cpu").render(SCENE)
    assert powers.of_fields == 0
