"""The SavedModel: signatures, heat maps, warm-up requests, record."""
