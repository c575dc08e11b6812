#!/bin/bash
# The harness exits with 1 for a diagnosed failure and has then written the diagnosis: postprocess reads it there.
export PYTHONPATH="${CM_TMP_CURRENT_SCRIPT_PATH}:${CM_MLPERF_HARNESS_PATH}${PYTHONPATH:+:${PYTHONPATH}}"
rm -f "${CM_MLPERF_TRAINING_SUMMARY}"
"${CM_PYTHON_BIN_WITH_PATH}" -m trainer run "${CM_MLPERF_TRAINING_CONFIG}" \
    --cluster "${CM_MLPERF_TRAINING_CLUSTER:-none}" ${CM_MLPERF_TRAINING_PARTITION:+--partition "${CM_MLPERF_TRAINING_PARTITION}"} \
    || test -f "${CM_MLPERF_TRAINING_SUMMARY}"
