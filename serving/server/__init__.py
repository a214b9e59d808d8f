"""The embedded server: TensorFlow Serving's REST and gRPC APIs on pushed models."""
