"""Beam on this machine and elsewhere: options, workers, errors about records."""
