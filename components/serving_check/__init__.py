"""The component ServingCheck: the model behind a real server, before it is pushed."""
