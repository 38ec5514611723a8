"""The job store: who asked for what, how far it is, what came out. One atomic transition a call; nothing else changes state."""
