"""Bodies that the user brings: an array of voxels, or a closed mesh."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_serializer, model_validator

from osog.scene.distributions import NumberOrDistribution
from osog.scene.material import BODY_INDEX_LIMITS
from osog.scene.model import FitTraits, SceneModel, parameter
from osog.scene.shapes import SHAPES, ShapeModel
from osog.scene.voxels import MeshSurface, VoxelArray, is_mesh

Contents = Literal["labels", "index", "emission", "occupancy"]
"""What the numbers of an array are."""
_MOST_LABELS = 4096


class LabelNumbers(SceneModel):
    """What one label of a volume is made of; what is empty is that of the material."""

    label: int = Field(1, ge=1, title="Label", description="Number of the label in the array.")
    name: str | None = Field(None, title="Name", description="What it is, for people.")
    index: float | None = parameter(
        None,
        title="Index",
        help="Refractive index of this label; empty is that of the material.",
        limits=BODY_INDEX_LIMITS,
        slider=(1.3, 1.7),
        step=0.001,
        fit=FitTraits(role="index", scale=0.15),
    )
    absorption_per_um: float | None = parameter(
        None,
        title="Absorption",
        help="Intensity lost per µm of path in this label; empty is that of the material.",
        unit="1/µm",
        limits=(0.0, 500.0),
        slider=(0.0, 2.0),
        fit=FitTraits(role="absorption"),
    )
    emission_per_um: float | None = parameter(
        None,
        title="Fluorescence",
        help="Brightness of this label per µm of path; empty is that of the material.",
        unit="1/µm",
        limits=(0.0, 1e6),
        slider=(0.0, 5.0),
    )
    birefringence: float | None = parameter(
        None,
        title="Birefringence",
        help="Extraordinary minus ordinary index of this label; empty is that of the material.",
        limits=(-1.0, 1.0),
        slider=(-0.2, 0.2),
        step=0.001,
    )


LABEL_NUMBERS = ("index", "absorption_per_um", "emission_per_um", "birefringence")
"""Numbers of a label that are those of the material where they are left out."""


class VoxelShape(ShapeModel):
    """A body of voxels, whatever they come from."""

    page = "howto/use-your-own-volume.md"

    @property
    def grid(self) -> VoxelArray:
        """Its voxels."""
        raise NotImplementedError

    @property
    def contents(self) -> Contents:
        """What the numbers of the array are."""
        raise NotImplementedError

    @property
    def label_values(self) -> tuple[int, ...]:
        """Labels in the array, each of which is an instance of its own; (1,) without labels."""
        if self.contents != "labels":
            return (1,)
        return tuple(int(value) for value in self.grid.labels[0])

    def numbers_of(self, label: int) -> tuple[int, LabelNumbers] | None:
        """Place in the scene and numbers that a label has of its own."""
        return None

    @field_serializer("digest", check_fields=False)
    def _digest_of_the_file(self, digest: str | None) -> str | None:
        return self._content.pin()

    @property
    def _content(self) -> VoxelArray | MeshSurface:
        """What the file holds."""
        raise NotImplementedError


def _digest() -> Any:
    return parameter(
        None,
        title="Digest",
        help="Of what the file held when the scene was saved, by which a changed file is noticed; "
        "empty takes any.",
        panel=False,
        shapes_image=False,
    )


@SHAPES.register
class Volume(VoxelShape):
    """A 3-D array (z, y, x): labels, refractive index, emission, or the share that is filled.

    Unturned, its columns lie along x, its rows along y, and its first plane is the lowest.
    """

    title = "Volume (voxels)"

    kind: Literal["volume"] = "volume"
    array: VoxelArray = parameter(
        "cell",
        title="Array",
        help="File (NPY, OME-TIFF, OME-Zarr) relative to the scene file, or a NumPy array.",
        panel=False,
        shapes_image=False,
    )
    holds: Contents = parameter(
        "labels",
        title="Numbers",
        help="What the numbers are: labels, refractive index, emission per µm relative to the "
        "material's, or the share of each voxel that the body fills.",
    )
    voxel_um: tuple[NumberOrDistribution, NumberOrDistribution, NumberOrDistribution] = parameter(
        (0.2, 0.2, 0.2),
        title="Voxel",
        help="Size of a voxel along the axes z, y and x of the array; the file's own if left out.",
        unit="µm",
        limits=(1e-3, 100.0),
        slider=(0.01, 2.0),
        log=True,
        fit=FitTraits(factor=2.0),
    )
    labels: tuple[LabelNumbers, ...] = Field(
        (), title="Labels", description="Index and other numbers of single labels."
    )
    digest: str | None = _digest()

    @model_validator(mode="before")
    @classmethod
    def _of_the_file(cls, data: Any) -> Any:
        """Take what the scene leaves out from the array."""
        if not isinstance(data, dict):
            return data
        data = {"array": "cell", **data}
        if isinstance(data["array"], str) and is_mesh(data["array"]):
            raise ValueError(f"array = '{data['array']}' is a mesh; use kind: mesh.")
        array = data["array"] = VoxelArray.of(data["array"])
        array.check(data.pop("digest", None), "array")  # a fact of the file, not of the scene
        if data.get("voxel_um") is None:
            if array.voxel_um is None:
                shown = array.source if len(array.source) < 60 else "…" + array.source[-58:]
                raise ValueError(
                    f"voxel_um is missing, and '{shown}' does not state the size of its voxels; "
                    "give (z, y, x) in µm."
                )
            data["voxel_um"] = array.voxel_um
        elif isinstance(data["voxel_um"], int | float):
            data["voxel_um"] = (data["voxel_um"],) * 3
        if data.get("holds") is None:
            if array.data.dtype.kind == "f":
                raise ValueError("holds must say what floats are: index, emission or occupancy.")
            data["holds"] = "labels"
        return data

    @model_validator(mode="after")
    def _numbers_fit(self) -> "Volume":
        data = self.array.data
        if self.holds == "labels":
            if data.dtype.kind == "f":
                raise ValueError(f"holds = labels needs whole numbers, not {data.dtype}.")
            if int(data.min()) < 0:
                raise ValueError(f"array: the label {int(data.min())} must not be below 0.")
            count = len(self.array.labels[0])
            if not 1 <= count <= _MOST_LABELS:
                raise ValueError(f"array holds {count} labels; it must hold 1 to {_MOST_LABELS}.")
            given = [numbers.label for numbers in self.labels]
            doubled = sorted({n for n in given if given.count(n) > 1})
            if doubled:
                raise ValueError(f"labels: the label {doubled[0]} occurs twice.")
            return self
        if self.labels:
            raise ValueError(f"labels are for holds = labels, not {self.holds}.")
        low, high = self.array.limits
        least, most = {"index": BODY_INDEX_LIMITS, "emission": (0.0, 1e6)}.get(
            self.holds, (0.0, 1.0)
        )
        if low < least or high > most:
            raise ValueError(
                f"array: {self.holds} goes from {low:.4g} to {high:.4g}; it must lie between "
                f"{least:g} and {most:g}."
            )
        return self

    @property
    def grid(self) -> VoxelArray:
        """Its voxels."""
        return self.array

    @property
    def _content(self) -> VoxelArray:
        return self.array

    @property
    def contents(self) -> Contents:
        """What the numbers of the array are."""
        return self.holds

    def numbers_of(self, label: int) -> tuple[int, LabelNumbers] | None:
        """Place in the scene and numbers that a label has of its own."""
        for place, numbers in enumerate(self.labels):
            if numbers.label == label:
                return place, numbers
        return None


@SHAPES.register
class Mesh(VoxelShape):
    """A closed mesh (STL, OBJ, PLY), drawn as voxels that are filled in part."""

    title = "Mesh"

    kind: Literal["mesh"] = "mesh"
    surface: Annotated[MeshSurface, Field(validate_default=True)] = parameter(
        "octahedron",
        title="Mesh",
        help="File (STL, OBJ, PLY) relative to the scene file.",
        panel=False,
        shapes_image=False,
    )
    unit_um: NumberOrDistribution = parameter(
        1.0,
        title="Unit",
        help="Length in µm of one unit of the file, which does not state it.",
        unit="µm",
        limits=(1e-5, 1e4),
        slider=(0.01, 10.0),
        log=True,
        fit=FitTraits(factor=2.0),
    )
    resolution: int = Field(
        96, ge=8, le=512, title="Voxels", description="Voxels along its longest side."
    )
    digest: str | None = _digest()

    @model_validator(mode="after")
    def _same_file(self) -> "Mesh":
        self.surface.check(self.digest, "surface")
        object.__setattr__(self, "digest", None)  # a fact of the file, not of the scene
        return self

    @property
    def _content(self) -> MeshSurface:
        return self.surface

    @property
    def grid(self) -> VoxelArray:
        """Its voxels, in units of the file."""
        return self.surface.voxels(self.resolution)

    @property
    def contents(self) -> Contents:
        """The share of each voxel that is filled."""
        return "occupancy"


__all__ = ["LABEL_NUMBERS", "Contents", "LabelNumbers", "Mesh", "Volume", "VoxelShape"]
