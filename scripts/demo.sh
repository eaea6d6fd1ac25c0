#!/usr/bin/env bash
# Builds examples/c/bot.c against the staged library and runs it: against an emulator with a lively chat, or against the
# pod of a configuration file. Usage: demo.sh STAGE EMULATOR [CONFIG]

set -euo pipefail
stage=$(realpath "$1")
emulator=$2
config=${3:-}

bot=target/demo/bot
mkdir -p "$(dirname "$bot")"
"${CC:-cc}" -std=c99 -Wall -Wextra -Wpedantic -Werror -I"$stage/include" examples/c/bot.c \
    -L"$stage/lib" -Wl,-rpath,"$stage/lib" -ldatafeed -o "$bot"

if [[ -n $config ]]; then
    exec "$bot" "$config"
fi

# The emulator ends when this script does: its standard input closes then.
coproc EMULATOR_PROCESS { exec "$emulator" --port 0 --chat 5 --until-stdin-closes; }
read -r config <&"${EMULATOR_PROCESS[0]}"
"$bot" "$config" 20
