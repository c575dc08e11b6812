"""Reading what others have published: summary tables, results trees, JSON exports, training logs."""

from cm4bench_database.imports.recognise import Options, read

__all__ = ["Options", "read"]
