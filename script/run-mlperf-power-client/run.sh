#!/bin/bash
export PYTHONPATH="${CM_MLPERF_POWER_PACKAGE}${PYTHONPATH:+:${PYTHONPATH}}"
options=()
add() { [ -z "$2" ] || options+=("$1" "$2"); }
add --label "${CM_MLPERF_POWER_LABEL}"
add --max-amps "${CM_MLPERF_POWER_MAX_AMPS}"
add --max-volts "${CM_MLPERF_POWER_MAX_VOLTS}"
add --command-timeout "${CM_MLPERF_POWER_COMMAND_TIMEOUT}"
add --power-dev "${CM_MLPERF_POWER_DEV_PATH}"
case "${CM_MLPERF_POWER_STOP_SERVER,,}" in yes | true | on | 1) options+=(--stop-server) ;; esac
cd "${CM_TMP_CURRENT_PATH:-.}" || exit 1
exec "${CM_PYTHON_BIN_WITH_PATH}" -m mlperf_power client --server "${CM_MLPERF_POWER_SERVER_ADDRESS}" \
  --port "${CM_MLPERF_POWER_SERVER_PORT}" --ntp-server "${CM_MLPERF_POWER_NTP_SERVER}" \
  --command "${CM_MLPERF_RUN_CMD}" --loadgen-logs "${CM_MLPERF_LOADGEN_LOGS_DIR}" \
  --output "${CM_MLPERF_POWER_OUTPUT_DIR}" "${options[@]}"
