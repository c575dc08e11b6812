#!/bin/bash
# The harness exits with 1 for a diagnosed failure and has then written the diagnosis: postprocess reads it there.
export PYTHONPATH="${CM_TMP_CURRENT_SCRIPT_PATH}${PYTHONPATH:+:${PYTHONPATH}}"
rm -f "${CM_MLPERF_OUTCOME}"
"${CM_PYTHON_BIN_WITH_PATH}" -m harness run "${CM_MLPERF_RUN_CONFIG}" || test -f "${CM_MLPERF_OUTCOME}"
