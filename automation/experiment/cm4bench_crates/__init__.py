"""Results that travel: packed as an RO-Crate with all that is needed to make them again elsewhere, and judged there."""
