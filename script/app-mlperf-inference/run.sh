#!/bin/bash
# The harness exits with 1 for a diagnosed failure and has then written the diagnosis: postprocess reads it there.
export PYTHONPATH="${CM_TMP_CURRENT_SCRIPT_PATH}${PYTHONPATH:+:${PYTHONPATH}}"
if [ "${CM_MLPERF_LOADGEN_MODE}" = autotune ]; then
    exec "${CM_PYTHON_BIN_WITH_PATH}" -m harness tune "${CM_MLPERF_RUN_CONFIG}" --memory "${CM_MLPERF_TUNING_MEMORY}"
fi
rm -f "${CM_MLPERF_OUTCOME}"
if [ "${CM_MLPERF_POWER:-}" = yes ] && [ "${CM_MLPERF_LOADGEN_MODE}" = performance ]; then
    export PYTHONPATH="${PYTHONPATH}:${CM_MLPERF_POWER_PATH}"
    exec "${CM_PYTHON_BIN_WITH_PATH}" -m mlperf_power wrap --performance "${CM_MLPERF_OUTPUT_DIR}" \
        --server "${CM_MLPERF_POWER_SERVER_ADDRESS}" --port "${CM_MLPERF_POWER_SERVER_PORT}" \
        --ntp-server "${CM_MLPERF_POWER_NTP_SERVER}" ${CM_MLPERF_POWER_DEV_PATH:+--power-dev "${CM_MLPERF_POWER_DEV_PATH}"} \
        -- "${CM_PYTHON_BIN_WITH_PATH}" -m harness run "${CM_MLPERF_RUN_CONFIG}"
fi
"${CM_PYTHON_BIN_WITH_PATH}" -m harness run "${CM_MLPERF_RUN_CONFIG}" || test -f "${CM_MLPERF_OUTCOME}"
