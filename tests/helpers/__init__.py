"""What tests of several folders share: hand-made samples, slow references, oracles."""
