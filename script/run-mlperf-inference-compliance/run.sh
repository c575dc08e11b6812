#!/bin/bash
export PYTHONPATH="${CM_MLPERF_COMPLIANCE_PYTHONPATH}${PYTHONPATH:+:${PYTHONPATH}}"
eval "arguments=(${CM_MLPERF_COMPLIANCE_ARGUMENTS})"
rm -f "${CM_MLPERF_COMPLIANCE_REPORT}"
# Verdicts that fail are told by postprocess; without a report something broke, and the output says what.
"${CM_PYTHON_BIN_WITH_PATH}" -m mlperf_compliance run "${arguments[@]}" || test -f "${CM_MLPERF_COMPLIANCE_REPORT}"
