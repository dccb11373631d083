"""Tracking: every particle of a micrograph fitted, and followed through a series."""

from osog.tracking.diffusion import Diffusion, diffusion
from osog.tracking.many import fit_many
from osog.tracking.series import track
from osog.tracking.table import ParticleTable

__all__ = ["Diffusion", "ParticleTable", "diffusion", "fit_many", "track"]
