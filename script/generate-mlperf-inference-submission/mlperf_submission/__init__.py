"""Submissions: result records in, a checked tree and a tarball out. docs/submit.md describes it."""
