#!/bin/bash
# Runs only when the user asked for it with --sudo; the command was shown before.
set -e
if [ "$(id -u)" = 0 ]; then
    bash -c "${CM_SYS_UTIL_INSTALL_CMD}"
else
    sudo bash -c "${CM_SYS_UTIL_INSTALL_CMD}"
fi
