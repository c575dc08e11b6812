#!/bin/bash
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/prepare.py" --tier "${CM_DATASET_TIER}" \
    --folder "${CM_DATASET_CRITEO_LOCAL_PATH}" --rows "${CM_DATASET_CRITEO_ROWS:-0}" \
    --samples "${CM_DATASET_CRITEO_SAMPLES}" --out preprocessed || exit $?
echo "CM_DATASET_PREPROCESSED_PATH=${PWD}/preprocessed" >> tmp-run-env.out
