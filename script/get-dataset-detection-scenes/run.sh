#!/bin/bash
stamps=()
if [[ "${CM_DATASET_TIER}" == embedded ]]; then
    stamps=(--stamps "${CM_DEBIAN_ARTIFACT_PATH}/usr/share/tuxpaint/stamps")
fi
if [[ "${CM_DATASET_LAYOUT}" == instances ]]; then
    PYTHONPATH="${CM_TMP_CURRENT_SCRIPT_PATH}/../app-mlperf-training" "${CM_PYTHON_BIN_WITH_PATH}" \
        "${CM_TMP_CURRENT_SCRIPT_PATH}/instances.py" "${stamps[@]}" --categories "${CM_DATASET_CATEGORIES}" \
        --train "${CM_DATASET_TRAIN_PICTURES}" --val "${CM_DATASET_VAL_PICTURES}" \
        --seed "${CM_DATASET_SEED}" --out coco || exit $?
    {
        echo "CM_DATASET_PATH=${PWD}/coco"
        echo "CM_DATASET_ANNOTATIONS_FILE_PATH=${PWD}/coco/annotations/instances_val2017.json"
        echo "CM_DATASET_SIZE=${CM_DATASET_TRAIN_PICTURES}"
    } >> tmp-run-env.out
    exit 0
fi
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/compose.py" "${stamps[@]}" \
    --count "${CM_DATASET_SCENES}" --seed "${CM_DATASET_SEED}" --classes "${CM_DATASET_CLASSES}" \
    --out scenes || exit $?
{
    echo "CM_DATASET_PATH=${PWD}/scenes"
    echo "CM_DATASET_ANNOTATIONS_FILE_PATH=${PWD}/scenes/annotations.json"
    echo "CM_DATASET_SIZE=${CM_DATASET_SCENES}"
} >> tmp-run-env.out
