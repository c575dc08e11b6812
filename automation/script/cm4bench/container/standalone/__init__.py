"""Verify a capsule, lay it out and run it. Standard library only: a copy of this package stands in every capsule."""
