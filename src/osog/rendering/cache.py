"""What images leave for the next one: waves behind the sample, and what their light is made of.

Waves are kept while only the lens, the detection or the camera change; of other samples in the same
light, its directions and propagators.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from osog.derivatives import followed
from osog.waves.sharing import Sharing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from torch import Tensor

    from osog.exit_wave import Wave
    from osog.sample import Values
    from osog.sample.reading import Reading
    from osog.scene import Scene
    from osog.waves import SamplingPlan

_MOST_SAMPLES = 4e7
"""Samples of all waves together up to which they are kept for the next image."""
_LIGHT_SAMPLES = 2e7
"""Numbers that are kept of what waves of different samples in the same light have in common."""


@dataclass(frozen=True)
class WaveInputs:
    """What the waves of one image were made from, as recorded while they were made.

    Attributes
    ----------
    reading : Reading
        What was read of the scene and of the caller's tensors.
    seed : int
    grids : SamplingPlan
        Without what the image alone is made with, such as its margins: that moves with the focus,
        and the grids that follow often do not.
    wavelengths_um : tuple of float
        Those of a spectrum; empty for a single one, which is in the reading.
    """

    reading: Reading
    seed: int
    grids: SamplingPlan
    wavelengths_um: tuple[float, ...]

    def same_for(self, scene: Scene, seed: int) -> bool:
        """Whether a scene has the same light behind the sample, as long as its grids are the same.

        Parameters
        ----------
        scene : Scene
        seed : int
        """
        return seed == self.seed and self.reading.holds_for(scene)


@dataclass(frozen=True)
class _Entry:
    inputs: WaveInputs
    waves: list[Wave]


class WaveCache:
    """The last few sets of waves, each with the record of what it was made from.

    Parameters
    ----------
    most : int
        Sets that are kept; the one that was not used for longest goes first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: list[_Entry] = []

    @property
    def newest(self) -> WaveInputs | None:
        """What the waves that were used last were made from."""
        return self._entries[-1].inputs if self._entries else None

    def waves(
        self,
        values: Values,
        seed: int,
        plan: SamplingPlan,
        wavelengths_um: Iterable[Tensor],
        make: Callable[[], Iterable[Wave]],
        drawn: Reading | None = None,
    ) -> tuple[Iterable[Wave], WaveInputs | None]:
        """Kept waves where they still hold, else new ones.

        Parameters
        ----------
        values : Values
        seed : int
        plan : SamplingPlan
        wavelengths_um : iterable of 0-dim Tensor
            Those of a spectrum; empty for a single one.
        make : callable
            Makes the waves with `values`.
        drawn : Reading, optional
            What the particles were drawn from, where `make` does not draw them.

        Returns
        -------
        waves : iterable of Wave
            One for each wavelength; those that do not fit in memory together come one by one.
        inputs : WaveInputs or None
            Their record; None for waves that are not kept.
        """
        grids = _grids(plan)
        lines = tuple(wavelengths_um)
        # Kept waves carry no gradient: those that need one are made anew.
        moving = followed(*lines)
        numbers = tuple(float(line.detach()) for line in lines)
        for entry in () if moving else tuple(self._entries):
            inputs = entry.inputs
            same = (inputs.seed, inputs.wavelengths_um, inputs.grids) == (seed, numbers, grids)
            if same and values.unchanged(inputs.reading):
                self._entries.remove(entry)
                self._entries.append(entry)
                return [replace(wave, plan=plan) for wave in entry.waves], inputs
        if not affordable(plan):
            return make(), None
        with values.recorded() as reading:
            waves = list(make())
        if drawn is not None:
            reading.add(drawn)
        inputs = WaveInputs(reading, seed, grids, numbers)
        if not moving and not any(_needs_gradient(wave) for wave in waves):
            self._entries = [*self._entries, _Entry(inputs, waves)][-self._most :]
        return waves, inputs


class LightCache:
    """What the waves of different samples in the same light have in common, on one set of grids.

    It is made of the optics alone, and made anew as soon as one of the numbers has changed that
    were read for it.
    """

    def __init__(self) -> None:
        self._shared = Sharing(_LIGHT_SAMPLES)
        self._read: Reading | None = None
        self._wavelengths_um: tuple[float, ...] = ()

    @contextmanager
    def frame(self, values: Values, wavelengths_um: tuple[float, ...]) -> Iterator[None]:
        """Make the waves of one sample inside the block.

        Parameters
        ----------
        values : Values
        wavelengths_um : tuple of float
            Those of a spectrum, which are worked out beforehand, so that no record holds them;
            empty for a single one.
        """
        # Until the block has ended well, it is not known what those things are made of.
        before, self._read = self._read, None
        with values.recorded() as reading:
            same = wavelengths_um == self._wavelengths_um
            if same and before is not None and values.unchanged(before):
                values.note(before)  # it is taken over without being read again
            else:
                self._shared = Sharing(_LIGHT_SAMPLES)
            with self._shared.frame():
                yield
        read = reading.of_optics()
        # Nothing that a derivative is followed through outlives its image.
        self._read = read if values.unchanged(read) else None
        self._wavelengths_um = wavelengths_um


def affordable(plan: SamplingPlan) -> bool:
    """Whether the waves of all wavelengths may stay in memory."""
    width, height = (2 * plan.band / step for step in plan.frequency_step)
    samples = plan.wavelengths * max(plan.source_points, 1) * width * height
    return samples <= _MOST_SAMPLES


def _grids(plan: SamplingPlan) -> SamplingPlan:
    return replace(
        plan,
        padding_wanted_um=0.0,
        padding_um=0.0,
        interference_rings=(),
        scatter_rings=(),
        near_um=0.0,
        frame_only=False,
    )


def _needs_gradient(wave: Wave) -> bool:
    tensors: list[Any] = list(vars(wave).values())
    return followed(*tensors)
