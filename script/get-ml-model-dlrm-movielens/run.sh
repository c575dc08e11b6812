#!/bin/bash
# The framework reads the number of threads when it starts; one thread makes the same weights everywhere.
OMP_NUM_THREADS=1 PYTHONPATH="${CM_TMP_CURRENT_SCRIPT_PATH}${PYTHONPATH:+:${PYTHONPATH}}" \
    "${CM_PYTHON_BIN_WITH_PATH}" -m dlrm_movielens.training --pairs "${CM_DATASET_TRAINING_PATH}" \
    --seed "${CM_ML_MODEL_SEED}" --out dlrm-movielens.pth || exit $?
echo "CM_ML_MODEL_FILE_WITH_PATH=${PWD}/dlrm-movielens.pth" >> tmp-run-env.out
