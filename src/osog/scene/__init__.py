"""What the user describes: one set of models for validation, panels, tooltips and files."""

from osog.scene.camera import Camera
from osog.scene.description import Description, Lognormal, Normal, Quantity, Uniform
from osog.scene.errors import SceneError
from osog.scene.habits import half_spaces
from osog.scene.material import INDICES, Material, Medium
from osog.scene.microscope import (
    DIC,
    IMMERSIONS,
    MODALITY_TITLES,
    PARTIALLY_COHERENT,
    Aberrations,
    Brightfield,
    Fluorescence,
    Hologram,
    Microscope,
    QuantitativePhase,
)
from osog.scene.numerics import Numerics
from osog.scene.population import Orientation, Particle, Placement, Population
from osog.scene.scene import Grid, Scene
from osog.scene.shapes import HABITS, Box, Cylinder, Ellipsoid, Polyhedron, Rod, Sphere

__all__ = [
    "DIC",
    "HABITS",
    "IMMERSIONS",
    "INDICES",
    "MODALITY_TITLES",
    "PARTIALLY_COHERENT",
    "Aberrations",
    "Box",
    "Brightfield",
    "Camera",
    "Cylinder",
    "Description",
    "Ellipsoid",
    "Fluorescence",
    "Grid",
    "Hologram",
    "Lognormal",
    "Material",
    "Medium",
    "Microscope",
    "Normal",
    "Numerics",
    "Orientation",
    "Particle",
    "Placement",
    "Polyhedron",
    "Population",
    "QuantitativePhase",
    "Quantity",
    "Rod",
    "Scene",
    "SceneError",
    "Sphere",
    "Uniform",
    "half_spaces",
]
