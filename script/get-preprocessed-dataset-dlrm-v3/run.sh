#!/bin/bash
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/synthesize.py" --samples "${CM_DATASET_DLRM_V3_SAMPLES}" \
    --history "${CM_DATASET_DLRM_V3_HISTORY}" --candidates "${CM_DATASET_DLRM_V3_CANDIDATES}" --out requests || exit $?
echo "CM_DATASET_PREPROCESSED_PATH=${PWD}/requests" >> tmp-run-env.out
