"""Drawings and tables of the report, in SVG and HTML."""
