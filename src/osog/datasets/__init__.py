"""Labelled images by the thousand: files, shards and streams for training."""
