#!/bin/bash
spelling=()
if [[ "${CM_DATASET_PREPROCESSING}" == whisper ]]; then
    spelling=(--spelling "${CM_PYPI_ARTIFACT_PATH}/openai_whisper-20250625/whisper/normalizers/english.json")
fi
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/preprocess.py" \
    --folder "${CM_DATASET_LIBRISPEECH_PATH}" --utterances "${CM_DATASET_LIBRISPEECH_UTTERANCES}" \
    --preprocessing "${CM_DATASET_PREPROCESSING}" --tier "${CM_DATASET_TIER}" \
    --expect "${CM_DATASET_EXPECTED_SIZE:-0}" "${spelling[@]}" --out preprocessed || exit $?
echo "CM_DATASET_PREPROCESSED_PATH=${PWD}/preprocessed" >> tmp-run-env.out
"${CM_PYTHON_BIN_WITH_PATH}" -c 'import json; print("CM_DATASET_SIZE=%d" % json.load(open("preprocessed/dataset.json"))["count"])' \
    >> tmp-run-env.out
