"""Numbers of a scene as 0-dim tensors, read as attributes, with a record of what was read."""

from __future__ import annotations

from contextlib import contextmanager
from copy import copy
from math import isfinite
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from osog.derivatives import followed, needs_plain_operations
from osog.sample.arrays import array_given, is_array, number_of
from osog.sample.reading import Block, Reading, plain
from osog.scene import Scene, SceneError
from osog.scene.parameters import Parameter, describe, get, split

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from osog.sample.reading import Key
    from osog.scene import Background, Camera, Medium, Microscope


class Values:
    """The scene that formulas read: every continuous number of it is a 0-dim tensor.

    ``values.microscope.modality.shear_um`` is the caller's tensor where one was given, else a
    constant with the number that the scene states. Everything that is no continuous number
    (names, switches, counts) is what the scene holds.

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

    Attributes
    ----------
    scene : Scene
        The description itself, with plain numbers: for what decides which code runs.
    microscope, medium, background, camera
        Blocks of the scene with tensors for numbers; ``camera`` may be None.
    stated : Values
        The numbers before any `replaced`: those of the microscope's wavelength.
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
        self._scene, self.dtype, self.device = plain(scene), dtype, torch.device(device)
        self._given: dict[Key, Any] = {}
        self._derived: frozenset[Key] = frozenset()
        # What was looked up of the stand-ins, which stay those that they are.
        self._listed: dict[Key, frozenset[Key]] = {}
        self._of_particles: dict[tuple[str, int | None], list[Key]] | None = None
        self._constants: dict[Key, Tensor] = {}
        self._stated_values: dict[int, float] = {}  # of the constants, which stay alive
        self._readings: list[Reading] = []
        self._before: Values | None = None
        self._names = [population.name for population in self._scene.populations]
        for name, value in (values or {}).items():
            if is_array(self._scene, name):
                self._given[self.key(name)] = array_given(
                    self._scene, name, value, self.dtype, self.device
                )
                continue
            described = describe(self._scene, name)
            try:
                tensor = value if isinstance(value, Tensor) else torch.as_tensor(value, dtype=dtype)
            except (TypeError, ValueError, RuntimeError):
                raise SceneError(f"'{name}' takes one number, not {value!r}.") from None
            if tensor.is_complex():
                raise SceneError(f"'{name}' takes one real number, not a complex one.")
            if tensor.numel() != 1:
                raise SceneError(f"'{name}' takes one number, not a tensor of {tensor.numel()}.")
            if needs_plain_operations(tensor):
                # In forward mode x + 0.5 has a tangent of double precision, whatever x has.
                tensor = tensor.cpu().double()
            tensor = tensor.reshape(()).to(self.device, self.dtype)
            _check(described, _plain_value(name, tensor))
            key = self.key(name)
            _check_acts(name, key)
            self._given[key] = tensor

    # --- what formulas read ------------------------------------------------------------------

    @property
    def scene(self) -> Scene:
        """The description itself, with plain numbers."""
        return cast("Scene", Block(self._scene, (), self, tensors=False))

    @property
    def microscope(self) -> Microscope[Tensor]:
        """The microscope, with tensors for numbers."""
        return cast("Microscope[Tensor]", self._block("microscope"))

    @property
    def medium(self) -> Medium[Tensor]:
        """The medium, with tensors for numbers."""
        return cast("Medium[Tensor]", self._block("medium"))

    @property
    def background(self) -> Background[Tensor]:
        """Uneven light, haze and dust, with tensors for numbers."""
        return cast("Background[Tensor]", self._block("background"))

    @property
    def camera(self) -> Camera[Tensor] | None:
        """The camera, with tensors for numbers."""
        return cast("Camera[Tensor] | None", self._block("camera"))

    @property
    def stated(self) -> Values:
        """The numbers before any `replaced`: those of the microscope's wavelength."""
        return self if self._before is None else self._before

    def acts(self, number: Tensor) -> bool:
        """Whether a number that was read here has an effect: it is not zero, or it is varied.

        A number of zero that the caller varies has a derivative all the same.
        """
        return self._stated_values.get(id(number), 1.0) != 0

    def constant(self, value: float) -> Tensor:
        """Make a 0-dim tensor of the right type on the right device."""
        return torch.tensor(value, dtype=self.dtype, device=self.device)

    def replaced(self, numbers: Mapping[str, Any]) -> Values:
        """Return the same numbers with some of them replaced, unchecked.

        Parameters
        ----------
        numbers : mapping of fields to 0-dim tensors, or to mappings of the same kind
            Such as ``{"microscope": {"wavelength_um": line}}`` for one wavelength of a spectrum.
            A function in place of a tensor (or of a mapping of tensors) is called when somebody
            reads the field, so that nobody depends on numbers that it does not need.
        """
        other = copy(self)
        other._before = self.stated
        new = dict(_flat(numbers, ()))
        other._given = {**self._given, **new}
        other._derived = self._derived | set(new)
        other._listed, other._of_particles = {}, None
        return other

    # --- the record --------------------------------------------------------------------------

    @contextmanager
    def recorded(self) -> Iterator[Reading]:
        """Record what is read of these numbers, and of all that were made of them by `replaced`.

        Yields
        ------
        Reading
            Complete when the block ends.
        """
        reading = Reading()
        self._readings.append(reading)
        try:
            yield reading
        finally:
            self._readings.remove(reading)

    def note(self, reading: Reading) -> None:
        """Record all that another record holds, whose result is taken over."""
        for own in self._readings:
            own.add(reading)

    def unchanged(self, reading: Reading) -> bool:
        """Whether everything that was read has the same value here, and none of it is varied.

        A number is varied when it needs a gradient: a result that was kept has none.
        """
        if not reading.holds_for(self._scene, self._plain_number, self._below):
            return False
        given = [self._given.get(key) for key in reading.numbers]
        if torch.is_grad_enabled() and followed(*given):
            return False
        return not needs_plain_operations(*given)

    def varied(self, reading: Reading) -> bool:
        """Whether a derivative is taken with respect to a number that was read."""
        return followed(*(self._given.get(key) for key in reading.numbers))

    # --- by name, for the draw of the particles ----------------------------------------------

    def number(self, name: str) -> Tensor:
        """0-dim tensor of one parameter by its dotted name."""
        key = self.key(name)
        if key in self._given:
            return self._taken(key)  # type: ignore[no-any-return]
        return self._constant(key, float(get(self._scene, name)))

    def given(self, name: str) -> Tensor | None:
        """Return the caller's tensor for this name, if there is one."""
        key = self.key(name)
        return self._taken(key) if key in self._given else None

    def given_array(self, name: str) -> Tensor | None:
        """Return the caller's tensor for a whole array of the scene, if there is one."""
        return self.given(name)

    def of_particles(self, field: str, component: int | None = None) -> dict[int, Tensor]:
        """Return the caller's tensors for single particles: global number → tensor.

        Parameters
        ----------
        field : str
            Field of a particle, such as ``z_um`` or ``orientation_deg``.
        component : int, optional
            Which entry, for fields that hold three numbers.
        """
        self.below(("populations",))
        found = {}
        for key in self._particle_keys().get((field, component), ()):
            tensor = self._given[key]
            self._note_number(key, tensor)
            found[int(key[1])] = tensor
        return found

    def particle_columns(self) -> Collection[tuple[str, int | None]]:
        """Fields and components for which the caller gives tensors of single particles."""
        return self._particle_keys().keys()

    def _particle_keys(self) -> dict[tuple[str, int | None], list[Key]]:
        """Keys of the caller's tensors for single particles, by field and component."""
        self.below(("particles",))
        if self._of_particles is None:
            self._of_particles = {}
            for key in self._given:
                if key[0] == "particles" and len(key) in (3, 4):
                    field, component = str(key[2]), int(key[3]) if len(key) == 4 else None
                    self._of_particles.setdefault((field, component), []).append(key)
        return self._of_particles

    def key(self, name: str) -> Key:
        """Unique form: populations by number, explicit particles by their global number."""
        steps = split(name)
        if steps[0] == "populations" and len(steps) > 1:
            if isinstance(steps[1], str):
                steps[1] = self._names.index(steps[1])
            if len(steps) > 3 and steps[2] == "particles":
                before = 0
                for population in self._scene.populations[: int(steps[1])]:
                    if population.visible:
                        before += population.number or 0
                return ("particles", before + int(steps[3]), *steps[4:])
        return tuple(steps)

    # --- for `Block` -------------------------------------------------------------------------

    def read_number(self, key: Key, stated: float | None) -> Tensor | None:
        """Tensor for a leaf of the scene that holds a number; None where it holds nothing."""
        if key in self._given:
            return self._taken(key)  # type: ignore[no-any-return]
        if stated is None:
            self.note_fact(key, None)
            return None
        return self._constant(key, float(stated))

    def replaces(self, key: Key) -> bool:
        """Whether a tensor stands in for this field as a whole."""
        return key in self._given

    def below(self, key: Key) -> frozenset[Key]:
        """Paths of the tensors that stand in for numbers below a path."""
        found = self._below(key)
        if self._readings:
            own = found - self._derived
            for reading in self._readings:
                reading.listed[key] = own
        return found

    def note_fact(self, key: Key, value: Any) -> None:
        """Record that something that is no continuous number was read."""
        for reading in self._readings:
            reading.facts[key] = value

    def _taken(self, key: Key) -> Any:
        """What stands in for a field, worked out when it is read for the first time."""
        value = self._given[key]
        if isinstance(value, _Later):
            return value.taken(self)
        self._note_number(key, value)
        return value

    def _note_number(self, key: Key, value: Tensor | float) -> None:
        if key in self._derived:
            return
        for reading in self._readings:
            reading.numbers[key] = number_of(value)

    def _constant(self, key: Key, value: float) -> Tensor:
        self._note_number(key, value)
        known = self._constants.get(key)
        if known is None:
            known = self._constants[key] = self.constant(value)
            self._stated_values[id(known)] = value
        return known

    def _block(self, name: str) -> Any:
        value = getattr(self._scene, name)
        if value is None:
            self.note_fact((name,), None)
            return None
        return Block(value, (name,), self, tensors=True)

    def _plain_number(self, key: Key) -> float | None:
        given = self._given.get(key)
        return number_of(given) if isinstance(given, Tensor) else None

    def _below(self, key: Key) -> frozenset[Key]:
        found = self._listed.get(key)
        if found is None:
            length = len(key)
            found = frozenset(k for k in self._given if len(k) > length and k[:length] == key)
            self._listed[key] = found
        return found


class _Later:
    """A stand-in that is worked out when it is read, with the record of what it was made from."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made: tuple[Any, Reading] | None = None

    def taken(self, values: Values) -> Any:
        """Return it; all that record `values` take over what it depends on."""
        if self._made is None or torch.is_grad_enabled():
            # What is computed again for a gradient must not find the tensors of the first time.
            with values.recorded() as reading:
                made = self._make()
            self._made = made, reading
        value, made_from = self._made
        for reading in values._readings:
            reading.add(made_from)
        return value


def _flat(numbers: Mapping[str, Any], base: Key) -> Iterator[tuple[Key, Any]]:
    for name, value in numbers.items():
        key = (*base, name)
        if isinstance(value, Tensor):
            yield key, value
        elif callable(value):
            yield key, _Later(value)
        else:
            yield from _flat(value, key)


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


def _plain_value(name: str, tensor: Tensor) -> float:
    try:
        return float(tensor.detach())
    except RuntimeError:  # in a batch of torch.func.vmap, which holds no single number
        raise SceneError(
            f"'{name}' is a batch of numbers under torch.func.vmap; an image takes one number at a "
            "time, because its grids depend on it: use a loop, or torch.func.jacfwd or jacrev for "
            "derivatives."
        ) from None


def _check_acts(name: str, key: Key) -> None:
    """Refuse numbers that an image is not a smooth function of, instead of ignoring them."""
    acts = key[0] in ("medium", "microscope", "camera", "background", "particles") or (
        key[0] == "populations"
        and len(key) > 3
        and key[2] in ("shape", "material", "surface", "inclusions")
    )
    if not acts:
        raise SceneError(
            f"'{name}' decides which grid or which particles are drawn, so an image has no "
            "derivative in it; change the scene instead."
        )
