"""python_requests.py ADDRESS KEY SECRET METHOD ARGS RESULT_TYPE LANG"""

import json
import sys

import requests

import envelope

address, key, secret, method, args, result_type, lang = sys.argv[1:]
answer = requests.get(
    address,
    params={
        "key": key,
        "secret": secret,
        "method": method,
        "_o_args": args,
        "result_type": result_type,
        "lang": lang,
    },
    timeout=60,
)
value = answer.json() if result_type in ("json", "jsonu") else envelope.loads(answer.content, result_type)
print(json.dumps(value))
print(answer.status_code)
