#!/bin/bash
PYTHONPATH="${CM_TMP_CURRENT_SCRIPT_PATH}/../app-mlperf-training" \
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/generate.py" \
    --train "${CM_DATASET_TRAIN_SAMPLES}" --validation "${CM_DATASET_VALIDATION_SAMPLES}" \
    --shake "${CM_DATASET_SHAKE}" --seed "${CM_DATASET_SEED}" --out structures || exit $?
echo "CM_DATASET_ADSORBATES_PATH=${PWD}/structures" >> tmp-run-env.out
