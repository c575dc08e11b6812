#!/bin/bash
export PYTHONPATH="${CM_MLPERF_TRAINING_CHECKER_PYTHONPATH}${PYTHONPATH:+:${PYTHONPATH}}"
eval "arguments=(${CM_MLPERF_TRAINING_CHECKER_ARGUMENTS})"
status=0
"${CM_PYTHON_BIN_WITH_PATH}" -m training_checker "${arguments[@]}" || status=$?
# findings are this step's result, not a crash: postprocess tells them
[ "$status" -le 1 ] || exit "$status"
echo "CM_MLPERF_SUBMISSION_CHECKER_STATUS=$status" > tmp-run-env.out
