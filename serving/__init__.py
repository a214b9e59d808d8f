"""All that needs nothing but a pushed model and images: predict, evaluate, explain, serve."""
