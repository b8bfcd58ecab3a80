#!/bin/sh
# Follow everything that happens with nothing but curl, through every restart of the gateway and of this script:
#
#     ./follow.sh ~/.ponybunny/run/gateway.json /tmp/follow.cursor
#
# The second file keeps how far it came. A number after it: end after so many goals that ended. Goals are
# asked for with `pb run --detach goal.toml`: a stream of events only goes one way.
set -eu

gateway=$1 cursor_file=$2 left=${3:--1}
pause=1
headers=$(mktemp) && pipe=$headers.pipe && mkfifo "$pipe"
curl=
trap '[ -z "$curl" ] || kill "$curl" 2>/dev/null || :; rm -f "$headers" "$pipe"' EXIT
trap 'exit 130' INT TERM

# Deals with an event: first what is to be done about it, then its cursor is kept, whole or not at all.
take() {
    case $event in
        connected | cursor | lag | rebase_required) ;;
        *) printf '%s %s\n' "$event" "$data" ;;
    esac
    if [ -n "$id" ]; then
        printf '%s' "$id" >"$cursor_file.new" && mv "$cursor_file.new" "$cursor_file"
    fi
    case $event in
        goal.completed | goal.failed | goal.cancelled) left=$((left - 1)) ;;
    esac
}

while [ "$left" -ne 0 ]; do
    # Where the gateway is may have changed, so the file is read each time.
    address=$(sed -n 's/.*"address": *"\([^"]*\)".*/\1/p' "$gateway" 2>/dev/null) || address=
    if [ -n "$address" ]; then
        # The header wins over `after`, which is for the first time. Heartbeats come each 15 s.
        : >"$headers"
        [ ! -s "$cursor_file" ] || printf 'Last-Event-ID: %s\n' "$(cat "$cursor_file")" >"$headers"
        curl --silent --show-error --no-buffer --fail-with-body --speed-limit 1 --speed-time 60 \
            --header @"$headers" "http://$address/events?after=start" >"$pipe" &
        curl=$!
        id='' event='' data=''
        while [ "$left" -ne 0 ] && IFS= read -r line; do
            case $line in
                'id: '*) id=${line#id: } ;;
                'event: '*) event=${line#event: } ;;
                'data: '*) data=${line#data: } ;;
                '') [ -z "$event" ] || take; id='' event='' data='' ;;
            esac
        done <"$pipe"
        kill "$curl" 2>/dev/null || :
        wait "$curl" || :
        curl=
    fi
    [ "$left" -eq 0 ] || sleep "$pause"
done
