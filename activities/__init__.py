"""Side effects, as verbs; each takes what it needs through its constructor."""
