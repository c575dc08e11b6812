#!/bin/bash
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/prepare.py" --graph "${CM_DATASET_IGBH_PATH}" \
    --tier "${CM_DATASET_TIER}" --size "${CM_DATASET_IGBH_SIZE}" --out prepared || exit $?
echo "CM_DATASET_PREPROCESSED_PATH=${PWD}/prepared" >> tmp-run-env.out
