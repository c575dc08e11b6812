#!/bin/bash
export PYTHONPATH="${CM_MLPERF_FINAL_REPORT_PYTHONPATH}${PYTHONPATH:+:${PYTHONPATH}}"
eval "arguments=(${CM_MLPERF_FINAL_REPORT_ARGUMENTS})"
"${CM_PYTHON_BIN_WITH_PATH}" -m mlperf_final_report "${arguments[@]}"
