"""Running on Kubeflow Pipelines and Vertex AI: checks, rehearsal, submission."""
