"""Correcting a pushed model for another place's prevalence, from unlabelled images of it."""
