"""The folder of all runs: locks, the metadata store, cleaning."""
