"""`python -m lambdalog`."""

from lambdalog.cli import main

main()
