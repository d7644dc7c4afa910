"""`python -m tynysh`: the command line."""

from tynysh.cli import main

main()
