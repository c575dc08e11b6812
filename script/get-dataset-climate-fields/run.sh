#!/bin/bash
PYTHONPATH="${CM_TMP_CURRENT_SCRIPT_PATH}/../app-mlperf-training" \
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/generate.py" \
    --train "${CM_DATASET_TRAIN_SAMPLES}" --validation "${CM_DATASET_VALIDATION_SAMPLES}" \
    --height "${CM_DATASET_MAP_HEIGHT}" --width "${CM_DATASET_MAP_WIDTH}" \
    --seed "${CM_DATASET_SEED}" --out fields || exit $?
echo "CM_DATASET_CLIMATE_FIELDS_PATH=${PWD}/fields" >> tmp-run-env.out
