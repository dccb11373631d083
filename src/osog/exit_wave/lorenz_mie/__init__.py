"""Exact scattering of light by spheres and coated spheres: Lorenz-Mie theory.

`coefficients` of the scattered waves by their `recursions`, `amplitudes` in any direction, and the
spectra of the light that `spheres` send forward and `backscatter`.
"""
