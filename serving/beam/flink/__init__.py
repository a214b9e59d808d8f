"""Beam's pipelines on Apache Flink: on a cluster that exists, or on one that lives with a run."""
