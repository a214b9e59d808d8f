"""Handing a compiled pipeline to a cluster, through the clusters' own clients."""
