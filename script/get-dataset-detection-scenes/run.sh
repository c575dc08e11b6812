#!/bin/bash
stamps=()
if [[ "${CM_DATASET_TIER}" == embedded ]]; then
    stamps=(--stamps "${CM_DEBIAN_ARTIFACT_PATH}/usr/share/tuxpaint/stamps")
fi
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/compose.py" "${stamps[@]}" \
    --count "${CM_DATASET_SCENES}" --seed "${CM_DATASET_SEED}" --classes "${CM_DATASET_CLASSES}" \
    --out scenes || exit $?
{
    echo "CM_DATASET_PATH=${PWD}/scenes"
    echo "CM_DATASET_ANNOTATIONS_FILE_PATH=${PWD}/scenes/annotations.json"
    echo "CM_DATASET_SIZE=${CM_DATASET_SCENES}"
} >> tmp-run-env.out
