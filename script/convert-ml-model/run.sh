#!/bin/bash
# The task's code and the harness are packages in script folders.
export PYTHONPATH="${CM_TMP_CURRENT_SCRIPT_PATH}:${CM_TMP_CURRENT_SCRIPT_PATH}/../app-mlperf-inference${PYTHONPATH:+:${PYTHONPATH}}"
"${CM_PYTHON_BIN_WITH_PATH}" -m model_conversion \
    --model "${CM_MODEL}" --architecture "${CM_ML_MODEL_ARCHITECTURE}" --weights "${CM_ML_MODEL_FILE_WITH_PATH}" \
    --task "${CM_MLPERF_TASK}" --task-path "${CM_MLPERF_TASK_PATH}" --data "${CM_MLPERF_TASK_DATA}" \
    --tier "${CM_MLPERF_DATA_TIER}" --format "${CM_ML_MODEL_TARGET}" --precision "${CM_ML_MODEL_PRECISION}" --method "${CM_ML_MODEL_QUANTISATION}" \
    --samples "${CM_ML_MODEL_CALIBRATION_SAMPLES}" --out converted || exit $?
{
    echo "CM_ML_MODEL_FILE_WITH_PATH=${PWD}/converted/${CM_ML_MODEL_TARGET_FILE}"
    echo "CM_ML_MODEL_FORMAT=${CM_ML_MODEL_TARGET}"
} >> tmp-run-env.out
