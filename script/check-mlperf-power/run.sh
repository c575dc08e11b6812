#!/bin/bash
export PYTHONPATH="${CM_MLPERF_POWER_PACKAGE}${PYTHONPATH:+:${PYTHONPATH}}"
power=("${CM_PYTHON_BIN_WITH_PATH}" -m mlperf_power)
if [ -n "${CM_MLPERF_LOADGEN_SCENARIO}" ]; then
  "${power[@]}" figure "${CM_MLPERF_POWER_OUTPUT_DIR}" "${CM_MLPERF_LOADGEN_SCENARIO}" || exit
fi
exec "${power[@]}" check "${CM_MLPERF_POWER_OUTPUT_DIR}" --round "${CM_MLPERF_ROUND}" \
  ${CM_MLPERF_POWER_FINDINGS:+--json "${CM_MLPERF_POWER_FINDINGS}"}
