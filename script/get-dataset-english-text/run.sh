#!/bin/bash
scripts="${CM_TMP_CURRENT_SCRIPT_PATH}/.."
export PYTHONPATH="${scripts}/app-mlperf-training:${scripts}/get-mlperf-training-task-language${PYTHONPATH:+:${PYTHONPATH}}"
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/write_text.py" --out text || exit $?
{
    echo "CM_DATASET_ENGLISH_TEXT_C4_PATH=${PWD}/text/c4"
    echo "CM_DATASET_ENGLISH_TEXT_WIKIPEDIA_PATH=${PWD}/text/wikipedia"
    echo "CM_DATASET_SIZE=$(zcat text/c4/c4-train.*.json.gz | wc -l)"
} >> tmp-run-env.out
