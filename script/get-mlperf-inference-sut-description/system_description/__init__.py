"""The description of a system: what the host tells, what its owner says, and what is still missing."""
