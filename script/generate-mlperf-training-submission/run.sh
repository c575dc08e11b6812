#!/bin/bash
export PYTHONPATH="${CM_MLPERF_TRAINING_SUBMISSION_PYTHONPATH}${PYTHONPATH:+:${PYTHONPATH}}"
eval "arguments=(${CM_MLPERF_TRAINING_SUBMISSION_ARGUMENTS})"
status=0
"${CM_PYTHON_BIN_WITH_PATH}" -m training_submission "${arguments[@]}" || status=$?
# a refusal is this step's result, not a crash: postprocess tells it
[ "$status" -le 1 ] || exit "$status"
echo "CM_MLPERF_TRAINING_SUBMISSION_STATUS=$status" > tmp-run-env.out
