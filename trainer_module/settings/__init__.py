"""Settings of training: frozen, typed, validated on construction."""
