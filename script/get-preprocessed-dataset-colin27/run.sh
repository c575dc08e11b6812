#!/bin/bash
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/preprocess.py" \
    --folder "${CM_DATASET_COLIN27_PATH}" --out preprocessed \
    ${CM_DATASET_COLIN27_VOLUMES:+--count "${CM_DATASET_COLIN27_VOLUMES}"} || exit $?
{
    echo "CM_DATASET_PREPROCESSED_PATH=${PWD}/preprocessed"
    echo "CM_DATASET_SIZE=$(ls preprocessed/volumes | wc -l)"
} >> tmp-run-env.out
