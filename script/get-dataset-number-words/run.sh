#!/bin/bash
scripts="${CM_TMP_CURRENT_SCRIPT_PATH}/.."
export PYTHONPATH="${scripts}/app-mlperf-training:${scripts}/get-mlperf-training-task-translation${PYTHONPATH:+:${PYTHONPATH}}"
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/say_numbers.py" \
    --pairs "${CM_DATASET_PAIRS}" --seed "${CM_DATASET_SEED}" --out words || exit $?
{
    echo "CM_DATASET_NUMBER_WORDS_PATH=${PWD}/words"
    echo "CM_DATASET_SIZE=${CM_DATASET_PAIRS}"
} >> tmp-run-env.out
