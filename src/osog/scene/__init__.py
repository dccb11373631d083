"""What the user describes: one set of models for validation, panels, tooltips and files."""

from osog.scene.aberrations import (
    Aberrations,
    Chromatic,
    CoverGlass,
    FieldAberrations,
    PupilShape,
)
from osog.scene.aggregates import AGGREGATES, Aggregate
from osog.scene.assembled_shapes import (
    AssembledShape,
    Bacilli,
    Bubble,
    Cell,
    Cocci,
    Droplet,
    JoinedDroplets,
)
from osog.scene.background import Background
from osog.scene.bent_and_hollow import BentCylinder, BentRod, RedCell, Tube, Vesicle
from osog.scene.camera import Camera
from osog.scene.continuous import Lognormal, LogUniform, Normal, PowerLaw, Uniform, Weibull
from osog.scene.discrete import OneOf, Poisson, Table
from osog.scene.distributions import LAWS, Mixture, Multiple, NumberOrDistribution, Ratio
from osog.scene.errors import SceneError
from osog.scene.habits import HABITS, half_spaces
from osog.scene.law import Distribution
from osog.scene.material import Material, Medium
from osog.scene.materials import MATERIALS
from osog.scene.microscope import IMMERSIONS, Microscope
from osog.scene.modalities import (
    DIC,
    MODALITIES,
    MODALITY_TITLES,
    Brightfield,
    Confocal,
    Darkfield,
    Fluorescence,
    Hologram,
    InterferometricScattering,
    LightSheet,
    ModalityModel,
    OffAxisHologram,
    PhaseContrast,
    Polarized,
    QuantitativePhase,
    Reflection,
    Shadowgraph,
)
from osog.scene.model import SceneModel
from osog.scene.numerics import Numerics
from osog.scene.orientation import ORIENTATIONS, Orientation
from osog.scene.placement import DEPTHS, PLACEMENTS, Depth, Placement
from osog.scene.population import Motion, Particle, Population
from osog.scene.scene import Grid, Scene
from osog.scene.series import Series
from osog.scene.shapes import (
    SHAPES,
    Box,
    CoatedSphere,
    Cylinder,
    Ellipsoid,
    Polyhedron,
    RandomPolyhedron,
    Rod,
    ShapeModel,
    Sphere,
)
from osog.scene.spectrum import (
    SPECTRUM_TITLES,
    Halogen,
    Led,
    Monochromatic,
    SpectrumModel,
    WhiteLed,
)
from osog.scene.surface import Inclusions, Surface
from osog.scene.volumes import LabelNumbers, Mesh, Volume, VoxelShape
from osog.scene.voxels import MeshSurface, VoxelArray

__all__ = [
    "AGGREGATES",
    "DEPTHS",
    "DIC",
    "HABITS",
    "IMMERSIONS",
    "LAWS",
    "MATERIALS",
    "MODALITIES",
    "MODALITY_TITLES",
    "ORIENTATIONS",
    "PLACEMENTS",
    "SHAPES",
    "SPECTRUM_TITLES",
    "Aberrations",
    "Aggregate",
    "AssembledShape",
    "Bacilli",
    "Background",
    "BentCylinder",
    "BentRod",
    "Box",
    "Brightfield",
    "Bubble",
    "Camera",
    "Cell",
    "Chromatic",
    "CoatedSphere",
    "Cocci",
    "Confocal",
    "CoverGlass",
    "Cylinder",
    "Darkfield",
    "Depth",
    "Distribution",
    "Droplet",
    "Ellipsoid",
    "FieldAberrations",
    "Fluorescence",
    "Grid",
    "Halogen",
    "Hologram",
    "Inclusions",
    "InterferometricScattering",
    "JoinedDroplets",
    "LabelNumbers",
    "Led",
    "LightSheet",
    "LogUniform",
    "Lognormal",
    "Material",
    "Medium",
    "Mesh",
    "MeshSurface",
    "Microscope",
    "Mixture",
    "ModalityModel",
    "Monochromatic",
    "Motion",
    "Multiple",
    "Normal",
    "NumberOrDistribution",
    "Numerics",
    "OffAxisHologram",
    "OneOf",
    "Orientation",
    "Particle",
    "PhaseContrast",
    "Placement",
    "Poisson",
    "Polarized",
    "Polyhedron",
    "Population",
    "PowerLaw",
    "PupilShape",
    "QuantitativePhase",
    "RandomPolyhedron",
    "Ratio",
    "RedCell",
    "Reflection",
    "Rod",
    "Scene",
    "SceneError",
    "SceneModel",
    "Series",
    "Shadowgraph",
    "ShapeModel",
    "SpectrumModel",
    "Sphere",
    "Surface",
    "Table",
    "Tube",
    "Uniform",
    "Vesicle",
    "Volume",
    "VoxelArray",
    "VoxelShape",
    "Weibull",
    "WhiteLed",
    "half_spaces",
]
