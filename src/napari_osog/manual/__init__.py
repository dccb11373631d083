"""The manual inside the window: its pages, and which of them explains what."""
