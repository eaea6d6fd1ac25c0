#!/usr/bin/env bash
# Runs a bot: against an emulator with a lively chat, or against the pod of a configuration file.
# Usage: demo.sh BOT EMULATOR [CONFIG]

set -euo pipefail
bot=$1
emulator=$2
config=${3:-}

if [[ -n $config ]]; then
    exec "$bot" "$config"
fi

# The emulator ends when this script does: its standard input closes then.
coproc EMULATOR_PROCESS { exec "$emulator" --port 0 --chat 5 --until-stdin-closes; }
read -r config <&"${EMULATOR_PROCESS[0]}"
"$bot" "$config" 20
