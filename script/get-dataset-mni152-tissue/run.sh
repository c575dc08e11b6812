#!/bin/bash
PYTHONPATH="${CM_TMP_CURRENT_SCRIPT_PATH}/../app-mlperf-training" "${CM_PYTHON_BIN_WITH_PATH}" \
    "${CM_TMP_CURRENT_SCRIPT_PATH}/blocks.py" --template "${CM_PYPI_ARTIFACT_PATH}/nilearn/datasets/data" \
    --count "${CM_DATASET_BLOCKS}" --seed "${CM_DATASET_SEED}" --out cases > count.txt || exit $?
{
    echo "CM_DATASET_PATH=${PWD}/cases"
    echo "CM_DATASET_SIZE=$(cat count.txt)"
} >> tmp-run-env.out
