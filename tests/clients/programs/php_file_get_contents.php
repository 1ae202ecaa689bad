<?php
[, $address, $key, $secret, $method, $args, $result_type, $lang] = $argv;

$query = http_build_query([
    'key' => $key, 'secret' => $secret, 'method' => $method, '_o_args' => $args,
    'result_type' => $result_type, 'lang' => $lang,
]);
// Without ignore_errors, a refusal is false and a warning, unless the gateway answers it with HTTP 200.
$context = stream_context_create(['http' => ['ignore_errors' => true, 'timeout' => 60]]);
$body = file_get_contents("$address?$query", false, $context);

$answer = match ($result_type) {
    'json', 'jsonu' => json_decode($body, true, 512, JSON_THROW_ON_ERROR),
    'xml' => simplexml_load_string($body),
    'serialize' => unserialize($body, ['allowed_classes' => false]),
    // This runs whatever was sent. It is here only because the gateway is on this machine, and ours.
    'var_export' => eval("return $body;"),
};
if ($answer instanceof SimpleXMLElement) {
    $response = $answer->response;
    $answer = [
        'error_code' => (string) $answer->error_code,
        'error' => (string) $answer->error,
        'reason' => (string) $answer->reason,
        'text' => (string) ($response->choices->item[0]->text ?? $response->error->message ?? ''),
    ];
}
echo json_encode($answer), "\n", explode(' ', $http_response_header[0])[1], "\n";
