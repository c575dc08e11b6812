#!/bin/bash
if [[ "${CM_DATASET_KITS19_PART}" == training && "${CM_DATASET_TIER}" != synthetic ]]; then
    PYTHONPATH="${CM_TMP_CURRENT_SCRIPT_PATH}/../app-mlperf-training" "${CM_PYTHON_BIN_WITH_PATH}" \
        "${CM_TMP_CURRENT_SCRIPT_PATH}/for_training.py" --raw "${CM_DATASET_PATH}" --modality "${CM_DATASET_MODALITY}" \
        --expect "${CM_DATASET_EXPECTED_SIZE}" --processes "${CM_NUM_PREPROCESS_THREADS}" --out preprocessed || exit $?
    {
        echo "CM_DATASET_PREPROCESSED_PATH=${PWD}/preprocessed"
        echo "CM_DATASET_SIZE=$(ls preprocessed/volumes | wc -l)"
    } >> tmp-run-env.out
    exit 0
fi
if [[ "${CM_DATASET_TIER}" == synthetic ]]; then
    source=(--synthetic --seed "${CM_DATASET_SEED}")
elif [[ -n "${CM_DATASET_KITS19_PICKLES_PATH}" ]]; then
    source=(--pickles "${CM_DATASET_KITS19_PICKLES_PATH}")
else
    source=(--raw "${CM_DATASET_KITS19_PATH}")
fi
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/preprocess.py" "${source[@]}" \
    --expect "${CM_DATASET_EXPECTED_SIZE:-0}" --processes "${CM_NUM_PREPROCESS_THREADS}" --out preprocessed || exit $?
{
    echo "CM_DATASET_PREPROCESSED_PATH=${PWD}/preprocessed"
    echo "CM_DATASET_SIZE=$(ls preprocessed/volumes | wc -l)"
} >> tmp-run-env.out
