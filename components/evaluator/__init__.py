"""The component Evaluator: TensorFlow Model Analysis on the test split, and the blessing."""
