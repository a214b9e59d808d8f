"""Pixels: decoding, resizing, contrast, measures."""
