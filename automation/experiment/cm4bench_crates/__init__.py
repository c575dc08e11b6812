"""Results that travel: packed as an RO-Crate with all that another machine needs to make them again, and judged there."""
