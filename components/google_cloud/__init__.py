"""Google Cloud services that take over a task's work: training, Beam, serving."""
