"""The pipeline: configuration, wiring, orchestrators, the `cxr` command."""
