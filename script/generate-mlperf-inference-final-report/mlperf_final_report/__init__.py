"""The final report of a round: the checker's summary table as spreadsheet, page and JSON. See docs/checker.md."""
