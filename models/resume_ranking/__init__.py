"""Resume ranking."""
