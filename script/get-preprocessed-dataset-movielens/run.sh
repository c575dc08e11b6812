#!/bin/bash
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/preprocess.py" \
    --ratings "${CM_DATASET_MOVIELENS_PATH}" --out preprocessed || exit $?
echo "CM_DATASET_PREPROCESSED_PATH=${PWD}/preprocessed/test" >> tmp-run-env.out
echo "CM_DATASET_TRAINING_PATH=${PWD}/preprocessed/training" >> tmp-run-env.out
