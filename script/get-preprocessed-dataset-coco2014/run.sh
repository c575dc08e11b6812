#!/bin/bash
script="${CM_TMP_CURRENT_SCRIPT_PATH}/prepare.py"
if [[ "${CM_DATASET_TIER}" == full ]]; then
    latents=()
    if [[ -n "${CM_DATASET_LATENTS_FILE_PATH}" ]]; then latents=(--latents "${CM_DATASET_LATENTS_FILE_PATH}"); fi
    "${CM_PYTHON_BIN_WITH_PATH}" "${script}" --captions "${CM_DATASET_CAPTIONS_FILE_PATH}" \
        --checkpoint "${CM_ML_MODEL_FILE_WITH_PATH}" "${latents[@]}" --out prepared || exit $?
else
    "${CM_PYTHON_BIN_WITH_PATH}" "${script}" --count "${CM_DATASET_SYNTHETIC_SIZE}" --seed "${CM_DATASET_SEED}" \
        --out prepared || exit $?
fi
echo "CM_DATASET_PREPROCESSED_PATH=${PWD}/prepared" >> tmp-run-env.out
