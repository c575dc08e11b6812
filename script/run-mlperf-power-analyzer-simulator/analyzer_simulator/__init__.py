"""A stand-in for SPEC's PTDaemon: the same command line, text protocol and logs, with a modelled load behind them.

It needs nothing but Python, so that any power server can start it as its `ptd`. What it says was taken from the
public logs of MLPerf submissions and from what power-dev's server and checker ask for; see docs/power.md.
"""
