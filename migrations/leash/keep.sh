# keep.sh DIR STOP COMMAND... runs COMMAND as long as somebody holds the other
# end of standard input, then stops it by signal STOP; at its end it removes DIR.
dir=$1 stop=$2
shift 2
exec 3<&0 </dev/null
trap 'rm -rf "$dir"' EXIT

"$@" 3<&- &
child=$!
(
	trap - EXIT
	read -r _ <&3
	# Again and again, because a server that has only just begun is deaf.
	while kill -s "$stop" "$child" 2>/dev/null; do sleep 0.1; done
) &
watch=$!
exec 3<&-
wait "$child"
code=$?
trap '' TERM
kill 0 # the watch, and what it sleeps by
wait "$watch"
exit "$code"
