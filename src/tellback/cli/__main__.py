"""`python -m tellback.cli`: the command, for processes that start each other."""

from tellback.cli.main import run

run()
