"""The submission checker: a folder in, findings with causes and remedies out. docs/checker.md describes it."""
