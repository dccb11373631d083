"""Compile the code of shapes, given as class:precision:device, at low priority."""

import os
import sys

import torch

from osog.exit_wave.compiled.choice import by_name, compile_now

if hasattr(os, "nice"):
    os.nice(10)
for argument in sys.argv[1:]:
    name, real, device = argument.split(":")
    compile_now(by_name(name), getattr(torch, real), device)
