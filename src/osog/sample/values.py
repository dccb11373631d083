"""Tensors that stand in for numbers of a scene, by dotted name."""

from __future__ import annotations

from copy import copy
from math import isfinite
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from osog.scene import Scene, SceneError
from osog.scene.parameters import Parameter, describe, get, split

if TYPE_CHECKING:
    from collections.abc import Mapping

Key = tuple[str | int, ...]


class Values:
    """Numbers of a scene as 0-dim tensors, some of them replaced by the caller's.

    Parameters
    ----------
    scene : Scene
    values : mapping of dotted names to tensors or numbers, optional
        The stand-ins; each must hold one number.
    dtype : torch.dtype
        Floating type of every tensor that is handed out.
    device : torch.device or str

    Raises
    ------
    SceneError
        If a name is no continuous parameter of the scene, or a value is not one number within the
        limits of the parameter.
    """

    def __init__(
        self,
        scene: Scene,
        values: Mapping[str, Any] | None = None,
        *,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        if not isinstance(scene, Scene):
            raise SceneError(
                f"scene is a {type(scene).__name__}; it must be a Scene, such as Scene.parse makes "
                "of a mapping."
            )
        if not dtype.is_floating_point:
            raise SceneError(f"dtype = {dtype} must be a floating type, such as torch.float64.")
        self.scene, self.dtype, self.device = scene, dtype, torch.device(device)
        self._given: dict[Key, Tensor] = {}
        self._stated: Values | None = None
        self._names = [population.name for population in scene.populations]
        for name, value in (values or {}).items():
            described = describe(scene, name)
            try:
                tensor = value if isinstance(value, Tensor) else torch.as_tensor(value, dtype=dtype)
            except (TypeError, ValueError, RuntimeError):
                raise SceneError(f"'{name}' takes one number, not {value!r}.") from None
            if tensor.is_complex():
                raise SceneError(f"'{name}' takes one real number, not a complex one.")
            if tensor.numel() != 1:
                raise SceneError(f"'{name}' takes one number, not a tensor of {tensor.numel()}.")
            tensor = tensor.reshape(()).to(self.device, self.dtype)
            _check(described, float(tensor.detach()))
            key = self._key(name)
            _check_acts(name, key)
            self._given[key] = tensor

    def number(self, name: str) -> Tensor:
        """0-dim tensor of one parameter: the caller's, or the scene's own number."""
        given = self._given.get(self._key(name))
        return given if given is not None else self.constant(float(get(self.scene, name)))

    def stated(self, name: str) -> Tensor:
        """Return the number as it was before any `replaced`: at the microscope's wavelength."""
        return (self._stated if self._stated is not None else self).number(name)

    def given(self, name: str) -> Tensor | None:
        """Return the caller's tensor for this name, if there is one."""
        return self._given.get(self._key(name))

    def constant(self, value: float) -> Tensor:
        """Make a 0-dim tensor of the right type on the right device."""
        return torch.tensor(value, dtype=self.dtype, device=self.device)

    def replaced(self, numbers: Mapping[str, Tensor]) -> Values:
        """Return the same numbers with some of them replaced, unchecked.

        Parameters
        ----------
        numbers : mapping of dotted names to 0-dim tensors
            Such as the wavelength of one line of a spectrum, or the focus of one plane of a stack.
        """
        other = copy(self)
        other._stated = self._stated if self._stated is not None else self
        other._given = {**self._given, **{self._key(name): n for name, n in numbers.items()}}
        return other

    def of_particles(self, field: str, component: int | None = None) -> dict[int, Tensor]:
        """Return the caller's tensors for single particles: global number → tensor.

        Parameters
        ----------
        field : str
            Field of a particle, such as ``z_um`` or ``orientation_deg``.
        component : int, optional
            Which entry, for fields that hold three numbers.
        """
        tail: Key = (field,) if component is None else (field, component)
        return {
            int(key[1]): tensor
            for key, tensor in self._given.items()
            if key[0] == "particles" and key[2:] == tail
        }

    def under(self, prefix: str) -> bool:
        """Whether any of the caller's names starts with this one."""
        key = self._key(prefix)
        return any(given[: len(key)] == key for given in self._given)

    def _key(self, name: str) -> Key:
        """Unique form: populations by number, explicit particles by their global number."""
        steps = split(name)
        if steps[0] == "populations" and len(steps) > 1:
            if isinstance(steps[1], str):
                steps[1] = self._names.index(steps[1])
            if len(steps) > 3 and steps[2] == "particles":
                before = 0
                for population in self.scene.populations[: int(steps[1])]:
                    if population.visible:
                        listed = population.particles
                        before += len(listed) if listed is not None else population.count or 0
                return ("particles", before + int(steps[3]), *steps[4:])
        return tuple(steps)


def _check(parameter: Parameter, value: float) -> None:
    """Refuse what the scene would refuse, with room for finite differences around a limit."""
    if not isfinite(value):
        raise SceneError(f"'{parameter.name}' must be finite, not {value}.")
    low, high = parameter.limits
    slack = 1e-3 * low if low > 0 else 1e-3 * (parameter.slider[1] - parameter.slider[0])
    if not low - slack <= value <= high + slack:
        unit = f" {parameter.unit}" if parameter.unit else ""
        raise SceneError(
            f"{parameter.name} = {value:g} must lie between {low:g} and {high:g}{unit}."
        )


def _check_acts(name: str, key: Key) -> None:
    """Refuse numbers that an image is not a smooth function of, instead of ignoring them."""
    acts = key[0] in ("medium", "microscope", "camera", "background", "particles") or (
        key[0] == "populations" and len(key) > 3 and key[2] in ("shape", "material")
    )
    if not acts:
        raise SceneError(
            f"'{name}' decides which grid or which particles are drawn, so an image has no "
            "derivative in it; change the scene instead."
        )
