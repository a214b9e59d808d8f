"""Makes `.venv`: what is missing on this machine, and the installation itself.

Run as `python3 -m pipeline.environment` by the Makefile, with the user's own Python and the
standard library alone. The modules stay readable to Python 3.7, so that an old Python gets
a message too.
"""
