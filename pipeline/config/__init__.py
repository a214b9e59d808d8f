"""The configuration: its keys, files, presets, and messages for mistakes."""
