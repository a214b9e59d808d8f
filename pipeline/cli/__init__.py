"""The command `cxr`."""
