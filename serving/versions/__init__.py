"""Pushed versions: manifest, verification, publishing, rollback."""
