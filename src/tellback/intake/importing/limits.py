"""How large what is imported may be. A file beyond a limit is refused with a sentence, before it costs memory."""

#: The largest file, and the largest that a zip's or a workbook's parts may be when they are unpacked, in bytes.
MAX_FILE = 2 << 30
MAX_UNPACKED = 2 << 30
#: A part that unpacks to more than this is refused when it grows beyond `MAX_RATIO` times its packed size.
RATIO_COUNTS_FROM = 32 << 20
MAX_RATIO = 200
#: The largest file that the page takes, in bytes; the command takes larger ones.
MAX_UPLOAD = 512 << 20
#: Members of a zip, and tables of a file.
MAX_MEMBERS = 1_000
MAX_TABLES = 40
#: Characters of one cell and of one row; a larger row is refused and the next one read.
MAX_CELL = 4 << 20
MAX_ROW = 8 << 20
#: Rows of a file that may be too large before the file is taken for something else than a table.
MAX_UNREADABLE = 100
#: Columns of a table, and levels of a JSON object that become columns.
MAX_COLUMNS = 500
MAX_DEPTH = 6
#: Characters of what workbooks share between cells.
MAX_SHARED = 1 << 30
#: Rows looked at to learn a file's columns.
SAMPLE_ROWS = 200
