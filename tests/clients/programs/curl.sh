#!/bin/sh
# curl.sh ADDRESS KEY SECRET METHOD ARGS RESULT_TYPE LANG
curl -sS --compressed -G "$1?key=$2" \
  --data-urlencode "secret=$3" --data-urlencode "method=$4" --data-urlencode "_o_args=$5" \
  -d "result_type=$6" -d "lang=$7" \
  -w '\n%{http_code}\n'
