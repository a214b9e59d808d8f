"""The page and the card that tell what a model is worth."""
