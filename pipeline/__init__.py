"""What runs, and where: configuration, wiring, orchestrators, the `cxr` command."""
