#!/bin/bash
options=()
add() { [ -z "$2" ] || options+=("$1" "$2"); }
add -c "${CM_MLPERF_POWER_CHANNEL}"
add --idle-watts "${CM_MLPERF_POWER_IDLE_WATTS}"
add --busy-watts "${CM_MLPERF_POWER_BUSY_WATTS}"
add --follow "${CM_MLPERF_POWER_FOLLOW}"
add --fault "${CM_MLPERF_POWER_FAULT}"
exec "${CM_TMP_CURRENT_SCRIPT_PATH}/ptd-simulator" -p "${CM_MLPERF_POWER_PTD_PORT}" "${options[@]}" \
  "${CM_MLPERF_POWER_DEVICE_TYPE}" simulated
