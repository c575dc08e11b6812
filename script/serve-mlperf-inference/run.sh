#!/bin/bash
export PYTHONPATH="${CM_SUT_SERVER_HARNESS}${PYTHONPATH:+:${PYTHONPATH}}"
place=(--host "${CM_SUT_SERVER_HOST}" --port "${CM_SUT_SERVER_PORT}")
case "${CM_SUT_SERVER_ACTION}" in
serve) exec "${CM_PYTHON_BIN_WITH_PATH}" -m harness.serve "${CM_SUT_SERVER_CONFIG}" "${place[@]}" ;;
start) "${CM_PYTHON_BIN_WITH_PATH}" -m harness.network.daemon start "${CM_SUT_SERVER_CONFIG}" "${place[@]}" ;;
*) "${CM_PYTHON_BIN_WITH_PATH}" -m harness.network.daemon "${CM_SUT_SERVER_ACTION}" "${place[@]}" ;;
esac
