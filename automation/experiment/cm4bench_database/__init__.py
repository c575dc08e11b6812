"""SQL over Result records and imported official results.

``Database.open(results_folder).query("SELECT … FROM results")``. The table's columns are described at :class:`Row`.
"""

from cm4bench_database.database import Database, Refreshed, SetAside
from cm4bench_database.errors import DatabaseError
from cm4bench_database.row import Row
from cm4bench_database.table import Table

__all__ = ["Database", "DatabaseError", "Refreshed", "Row", "SetAside", "Table"]
