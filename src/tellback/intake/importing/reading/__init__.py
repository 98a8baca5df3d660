"""Reading files as tables, one row at a time: text with delimiters, workbooks, JSON, JSON lines, and zips of these."""

from tellback.intake.importing.reading.files import open_file
from tellback.intake.importing.reading.table import ImportFile, Row, Table

__all__ = ["ImportFile", "Row", "Table", "open_file"]
