"""Where a fit begins: matched templates, guesses from them, and perturbations of a minimum."""
