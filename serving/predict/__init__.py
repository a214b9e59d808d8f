"""Predictions of files and folders with a pushed model."""
