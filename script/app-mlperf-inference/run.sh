#!/bin/bash
# The harness exits with 1 for a diagnosed failure and has then written the diagnosis: postprocess reads it there.
export PYTHONPATH="${CM_TMP_CURRENT_SCRIPT_PATH}${PYTHONPATH:+:${PYTHONPATH}}"
if [ "${CM_MLPERF_LOADGEN_MODE}" = autotune ]; then
    exec "${CM_PYTHON_BIN_WITH_PATH}" -m harness tune "${CM_MLPERF_RUN_CONFIG}" --memory "${CM_MLPERF_TUNING_MEMORY}"
fi
rm -f "${CM_MLPERF_OUTCOME}"
"${CM_PYTHON_BIN_WITH_PATH}" -m harness run "${CM_MLPERF_RUN_CONFIG}" || test -f "${CM_MLPERF_OUTCOME}"
