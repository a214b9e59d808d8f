"""The component Baseline: the pushed model that a new one is compared with."""
