# run.sh BIN DATA INITDB-FLAG FLAG... becomes a postgres, on new data where there is none.
bin=$1 data=$2 initdb=$3
shift 3
[ -s "$data/PG_VERSION" ] || "$bin/initdb" --pgdata="$data" --username=postgres --auth=trust \
	--encoding=UTF8 --locale=C.UTF-8 $initdb || exit
exec "$bin/postgres" -D "$data" "$@"
