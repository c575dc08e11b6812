#!/bin/bash
export HF_HUB_OFFLINE=1
export PYTHONPATH="${CM_TMP_CURRENT_SCRIPT_PATH}${PYTHONPATH:+:${PYTHONPATH}}"
"${CM_PYTHON_BIN_WITH_PATH}" -m llm_prompts.prepare \
    --format "${CM_DATASET_LLM_FORMAT}" --shape "${CM_DATASET_LLM_SHAPE:-smollm2}" --tier "${CM_DATASET_TIER}" \
    --data "${CM_DATASET_LLM_PATH}" --tokenizer "${CM_ML_MODEL_FILE_WITH_PATH}" --punkt "${CM_NLTK_DATA_PATH}" \
    --samples "${CM_DATASET_LLM_SAMPLES:-0}" --seed "${CM_DATASET_SEED}" --out prompts || exit $?
echo "CM_DATASET_PREPROCESSED_PATH=${PWD}/prompts" >> tmp-run-env.out
