"""Packs trainings into an MLPerf training submission; what cannot be submitted is refused, all at once."""
