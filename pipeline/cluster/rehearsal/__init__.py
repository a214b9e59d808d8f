"""A compiled pipeline, run on this machine task by task as a cluster runs it."""
