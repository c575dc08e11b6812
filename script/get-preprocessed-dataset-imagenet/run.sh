#!/bin/bash
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/preprocess.py" \
    --images "${CM_DATASET_PATH}" --labels "${CM_DATASET_LABELS_PATH}" --tier "${CM_DATASET_TIER}" \
    --preprocessing "${CM_DATASET_PREPROCESSING}" --processes "${CM_NUM_PREPROCESS_THREADS}" \
    --out preprocessed || exit $?
echo "CM_DATASET_PREPROCESSED_PATH=${PWD}/preprocessed" >> tmp-run-env.out
