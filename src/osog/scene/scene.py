"""The scene: one description for sliders, fits, datasets, command line and Python."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, Field, ModelWrapValidatorHandler, ValidationError, model_validator

from osog.io import atomic
from osog.scene import drawing, instruments, laws_in_fields, paths, preset_blocks
from osog.scene.background import Background
from osog.scene.camera import Camera
from osog.scene.discrete import OneOf
from osog.scene.errors import SceneError, sentences
from osog.scene.law import Array, Distribution
from osog.scene.material import Medium, at_wavelength
from osog.scene.microscope import Microscope
from osog.scene.model import SceneModel, block, parameter
from osog.scene.numerics import Numerics
from osog.scene.population import Population
from osog.scene.scale_bar import ScaleBar
from osog.scene.scene_folder import relative_to
from osog.scene.series import Series
from osog.scene.volumes import VoxelShape
from osog.scene.voxels import saved_beside

_MAX_PIXELS = 8192


class Grid(SceneModel):
    """The frame: rows, columns and the size of a camera pixel in the object."""

    shape: tuple[int, int] = parameter(
        (256, 256),
        title="Frame",
        help="Rows and columns.",
        unit="px",
        limits=(1, _MAX_PIXELS),
        shapes_image=False,
    )
    pixel_size_um: float = parameter(
        0.1,
        title="Pixel size",
        help="Width of a camera pixel divided by the magnification.",
        unit="µm",
        limits=(0.001, 100.0),
        slider=(0.02, 2.0),
        log=True,
        shapes_image=False,
    )

    @property
    def extent_um(self) -> tuple[float, float]:
        """Height and width of the frame in µm."""
        return self.shape[0] * self.pixel_size_um, self.shape[1] * self.pixel_size_um


class Scene(SceneModel):
    """Everything that one image depends on, except the seed.

    Raises
    ------
    pydantic.ValidationError
        From ``model_validate``; `Scene.parse` and `Scene.load` raise `SceneError` in plain words.
    """

    schema_version: Literal[1] = 1
    grid: Grid = block(Grid, title="Frame")
    medium: Medium = block(Medium, title="Medium")
    populations: tuple[Population, ...] = Field((), title="Populations")
    microscope: Microscope = block(Microscope, title="Microscope")
    camera: Camera | None = Field(None, title="Camera")
    background: Background = block(Background, title="Background")
    series: Series = block(Series, title="Series")
    numerics: Numerics = block(Numerics, title="Numerics")
    scale_bar: ScaleBar | None = Field(
        None, title="Scale bar", description="Burnt into the picture behind the camera."
    )

    @model_validator(mode="wrap")
    @classmethod
    def _laws_beside_numbers(
        cls, data: Any, handler: ModelWrapValidatorHandler["Scene"]
    ) -> "Scene":
        """Read laws, and tell those that hang on another number what that number is."""
        if isinstance(data, dict):
            data = preset_blocks.filled_in(data)
        scene = cls._read(data, handler)
        links = drawing.tied(scene) if isinstance(data, dict) else None
        return scene if links is None else cls._read(paths.content_with(scene, links), handler)

    @model_validator(mode="before")
    @classmethod
    def _from_the_tables(cls, data: Any) -> Any:
        """Fill in named instruments, and the numbers of named materials in this light."""
        if not isinstance(data, dict):
            return data
        data = instruments.filled(data)
        optics = data.get("microscope")
        stated = optics.get("wavelength_um") if isinstance(optics, dict) else None
        if stated is None:
            stated = getattr(optics, "wavelength_um", Microscope().wavelength_um)
        if isinstance(stated, dict | list | tuple | Distribution):
            stated = _middle(stated)
        if isinstance(stated, bool) or not isinstance(stated, (int, float)) or not stated > 0:
            return data  # refused elsewhere
        data = dict(data)
        if isinstance(data.get("medium"), (dict, str)):
            data["medium"] = at_wavelength(data["medium"], float(stated))
        if isinstance(data.get("populations"), (list, tuple)):
            data["populations"] = [
                {**each, "material": at_wavelength(each["material"], float(stated))}
                if isinstance(each, dict) and isinstance(each.get("material"), (dict, str))
                else each
                for each in data["populations"]
            ]
        return data

    @model_validator(mode="after")
    def _mosaic_fits(self) -> "Scene":
        if self.camera is not None and self.camera.colour == "bayer" and min(self.grid.shape) < 3:
            rows, columns = self.grid.shape
            raise ValueError(
                f"grid.shape = {rows} × {columns} px is too small for a Bayer sensor; it needs at "
                "least 3 × 3."
            )
        return self

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Scene":
        names = [population.name for population in self.populations]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"populations must have different names; '{doubled[0]}' occurs twice.")
        condenser = self.microscope.condenser_in_use
        if condenser >= self.medium.index:
            raise ValueError(
                f"{self.microscope.modality.steepest}: light up to NA {condenser:.4g} must stay "
                f"below the medium index {self.medium.index:g}, or it cannot enter the sample."
            )
        return self

    @model_validator(mode="after")
    def _volumes_can_be_shown(self) -> "Scene":
        for population in self.populations:
            if not isinstance(population.shape, VoxelShape):
                continue
            if self.microscope.epi:
                raise ValueError(
                    f"{self.microscope.modality.title} cannot show '{population.name}': voxels "
                    "have no surfaces that send light back; choose a modality in transmitted or "
                    "fluorescent light."
                )
            if population.scattering == "projection":
                raise ValueError(
                    f"scattering = projection is for single bodies, not for the voxels of "
                    f"'{population.name}'; use slabs."
                )
        return self

    @model_validator(mode="after")
    def _crop_within_its_frame(self) -> "Scene":
        if self.background.crop is not None:
            first_row, first_column, rows, columns = self.background.crop
            height, width = self.grid.shape
            if first_row + height > rows or first_column + width > columns:
                raise ValueError(
                    f"background.crop: {height} × {width} px from row {first_row} and column "
                    f"{first_column} must lie within the frame of {rows} × {columns} px."
                )
        return self

    @classmethod
    def parse(cls, data: Any) -> "Scene":
        """Validate a mapping and raise `SceneError` in plain words.

        Parameters
        ----------
        data : mapping
            The content of a scene file.

        Raises
        ------
        SceneError
            Names every wrong field with its value and the allowed range.
        """
        if not isinstance(data, dict):
            raise SceneError(
                "A scene is a mapping with keys such as grid, populations, microscope."
            )
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise SceneError("\n".join(sentences(error))) from None

    def get(self, name: str) -> Any:
        """Value of a field, by dotted name.

        Parameters
        ----------
        name : str
            Such as ``microscope.focus_um``, ``populations.beads.shape.radius_um`` or
            ``particles[3].x_um``, which counts all listed particles in scene order.

        Returns
        -------
        The field's value: a number, a distribution, or a whole block.

        Raises
        ------
        SceneError
            If the name does not exist.
        """
        return paths.get(self, name)

    def updated(self, values: Mapping[str, Any]) -> "Scene":
        """Return a new scene with some fields changed, by dotted name.

        Parameters
        ----------
        values : mapping
            Such as ``{"microscope.focus_um": 2.0, "populations.beads.count": 5}``; a whole block
            takes a mapping: ``{"microscope.modality": {"kind": "darkfield"}}``.

        Raises
        ------
        SceneError
            If a name does not exist or the new scene is not valid.
        """
        return self.parse(paths.content_with(self, values))

    def with_objective(self, name: str) -> "Scene":
        """Return the scene seen through an objective of the table: ``microscope.objective``.

        Raises
        ------
        SceneError
            If there is no such objective, or the rest of the scene does not go with it.
        """
        return self.updated({"microscope.objective": name})

    def with_camera(self, name: str) -> "Scene":
        """Return the scene with a camera of the table; the parameters are as `with_objective`."""
        data = self.model_dump()
        data["camera"] = {"model": name}
        if self.microscope.objective is not None:  # then the pixel size follows
            del data["grid"]["pixel_size_um"]
        return self.parse(data)

    def laws_by_name(self) -> dict[str, Distribution]:
        """Every law of the scene by dotted name, choices included, in the order of the file.

        Names count populations by name: ``populations.beads.shape.radius_um``. What an option of a
        choice has of laws is not among them, except those of the option that stands for all.
        """
        return dict(drawing.laws(self))

    def law(self, name: str) -> Distribution | None:
        """Law of a field, by dotted name; None where the field is a plain number.

        Parameters
        ----------
        name : str
            As for `get`, which returns the centre of a law that lies beside its number.

        Raises
        ------
        SceneError
            If the name does not exist.
        """
        paths.get(self, name)
        return drawing.law_at(self, name)

    def with_law(self, name: str, law: Any) -> "Scene":
        """Return a new scene in which a number is drawn from a law.

        Parameters
        ----------
        name : str
            Dotted name of the number.
        law : Distribution, mapping, [low, high] or number
            A number takes the law away.

        Raises
        ------
        SceneError
            If the name does not exist, or the law may leave the range of the field.
        """
        return self.updated({name: law})

    def draws(self, name: str, count: int = 1000, seed: int = 0) -> Array:
        """Draw one number many times, to see what its law means: the data of a histogram.

        Numbers of the same seed belong together: a width that is a share of the length is drawn
        from these lengths.

        Parameters
        ----------
        name : str
            Dotted name of the number.
        count, seed : int

        Returns
        -------
        ndarray, shape (count,)
            All the same where the number has no law.

        Raises
        ------
        SceneError
            If the name does not exist, is no number, or laws depend on each other.
        """
        return drawing.draws_of(self, name, count, seed)

    def drawn(self, seed: int = 0) -> "Scene":
        """Draw everything that is one for the whole picture; particles are still to be drawn.

        What every law of this scene leaves for each particle is in the result, and is drawn from
        the same seed when it is rendered. Much lighter than `sample`, and the same image.

        Returns
        -------
        Scene
            This very scene, where nothing is drawn for the picture as a whole.

        Raises
        ------
        SceneError
            If the numbers that this seed draws do not go together.
        """
        return drawing.drawn(self, seed)

    def sample(self, seed: int = 0) -> "Scene":
        """Return the scene of one image: every number is drawn, every particle is listed.

        Parameters
        ----------
        seed : int
            The same seed gives the same scene in every process.

        Returns
        -------
        Scene
            Without laws; rendered with the same seed it gives the image of this scene, bit for bit.
            Only what no list of particles holds, as laws of surfaces, inclusions and cells, stays
            to be drawn, from ``body_seed``.
            Invisible populations, which no image shows, keep their particles to be drawn, with the
            centres of their laws.

        Raises
        ------
        SceneError
            If the numbers that this seed draws do not go together, or the particles do not fit.
        """
        return drawing.settled(drawing.listing(self.drawn(seed), seed))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Scene":
        """Read a YAML or JSON scene file.

        Raises
        ------
        SceneError
            If the file is not YAML, or describes no valid scene.
        FileNotFoundError
            If there is no such file.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise SceneError(f"{Path(path).name} is not a text file.") from None
        try:
            data = yaml.load(text, Loader=_Loader)
        except (ValueError, RecursionError) as error:
            raise SceneError(f"{Path(path).name} is not a readable YAML file: {error}.") from None
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f" near line {mark.line + 1}" if mark is not None else ""
            problem = getattr(error, "problem", None) or "it cannot be parsed"
            raise SceneError(
                f"{Path(path).name} is not a readable YAML file{where}: {problem}."
            ) from None
        with relative_to(Path(path).absolute().parent):
            return cls.parse(data)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the scene as YAML (or JSON for a ``.json`` name), whole or not at all."""
        target = Path(path)
        with saved_beside(target):  # arrays that live in memory alone go to files next to it
            text = self.to_json() if target.suffix == ".json" else self.to_yaml()
        atomic.write_text(target, text)

    def to_dict(self) -> dict[str, Any]:
        """Content of the scene file as plain Python values, fields that are empty left out."""
        data = self.model_dump(mode="json")
        _drop_empty(self, data)
        return data

    def to_json(self) -> str:
        """Write the scene as JSON text."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False)

    def to_yaml(self) -> str:
        """Write the scene as YAML text."""
        return yaml.dump(
            self.to_dict(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
        )


def _middle(law: Any) -> float | None:
    """Centre of the law of the wavelength; None where it is none, which is refused elsewhere."""
    try:
        plain, _ = laws_in_fields.told_apart(Microscope, {"wavelength_um": law})
    except ValueError:
        return None
    return plain.get("wavelength_um")


def _drop_empty(model: BaseModel, data: dict[str, Any]) -> None:
    """Leave out what is empty, except where a scene without the field would not be the same."""
    named = getattr(model, "name", None) is not None and "dispersion" in type(model).model_fields
    for field, info in type(model).model_fields.items():
        value = getattr(model, field)
        if value is None:
            if info.default is None and not (named and field == "dispersion"):
                if data[field] is None:
                    del data[field]
            continue
        items = value if isinstance(value, tuple) else (value,)
        dumped = data[field] if isinstance(value, tuple) else (data[field],)
        if isinstance(dumped, dict):
            continue  # a choice in place of a list
        for item, plain in zip(items, dumped, strict=True):
            if isinstance(item, SceneModel) and not OneOf.is_content(plain):
                _drop_empty(item, plain)


class _Loader(yaml.SafeLoader):
    """YAML with scalars as version 1.2 reads them.

    PyYAML follows version 1.1, where ``1e-3`` is a word, ``on`` and ``no`` are booleans, ``010`` is
    8, ``1:30`` is 90 and ``2024-01-01`` a date. A key that occurs twice is an error here, since one
    of the two values would silently be lost.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key must be a word, not a list or a mapping", key.start_mark
                )
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"'{key.value}' occurs twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    return float(node.value.lower().replace(".inf", "inf").replace(".nan", "nan"))


_Loader.yaml_implicit_resolvers = {}
for _tag, _form, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF))"
        r"|\.(?:nan|NaN|NAN)",
        "-+0123456789.",
    ),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_form})$"), list(_first)
    )
_Loader.add_constructor("tag:yaml.org,2002:float", _number)
_Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))


class _Dumper(yaml.SafeDumper):
    """Block style for mappings, one line for lists of numbers."""


def _flow_numbers(dumper: yaml.SafeDumper, values: list[Any]) -> yaml.Node:
    flat = all(isinstance(v, int | float) for v in values)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=flat)


_Dumper.add_representer(list, _flow_numbers)
# Words that the loader would take for numbers are written in quotes.
_Dumper.yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers
