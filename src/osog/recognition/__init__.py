"""What made the contrast of a micrograph, guessed from the picture alone.

`field` finds level, noise and contrast; `relief`, `rings` and `bodies` measure what modalities
differ by; `guess` weighs it, and says why. `levels` finds the camera
behind a picture's level and noise.
"""

from osog.recognition.guess import ModalityGuess, guess_modality

__all__ = ["ModalityGuess", "guess_modality"]
