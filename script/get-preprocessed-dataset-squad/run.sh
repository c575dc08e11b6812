#!/bin/bash
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/preprocess.py" \
    --form "${CM_DATASET_SQUAD_FORM}" --tier "${CM_DATASET_TIER}" --size "${CM_DATASET_SQUAD_SAMPLES}" \
    --sequence "${CM_DATASET_MAX_SEQ_LENGTH}" --question "${CM_DATASET_MAX_QUERY_LENGTH}" \
    --stride "${CM_DATASET_DOC_STRIDE}" \
    ${CM_DATASET_SQUAD_VAL_PATH:+--squad "${CM_DATASET_SQUAD_VAL_PATH}"} \
    ${CM_DATASET_SQUAD_VOCAB_PATH:+--vocabulary "${CM_DATASET_SQUAD_VOCAB_PATH}"} \
    --out preprocessed || exit $?
echo "CM_DATASET_PREPROCESSED_PATH=${PWD}/preprocessed" >> tmp-run-env.out
