"""What the metadata of images say about the optics: one module for each way of saying it."""
