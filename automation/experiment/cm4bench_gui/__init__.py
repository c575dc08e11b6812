"""The local web app: scripts, command lines, plans, runs and results in a browser on this machine.

It reads what scripts and runs leave on disk. The one thing it can write, a report, asks for the token printed at start.
"""
