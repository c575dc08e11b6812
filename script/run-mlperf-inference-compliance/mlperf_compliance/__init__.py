"""MLPerf compliance tests: a finished run repeated under audit.config, and the verdict on it.

case.Case            one test of one scenario, with the folders of its logs
suite.verify(case)   the verdict, without running anything
conduct.conduct(…)   the run and the verdict, written as a submission wants it
"""
