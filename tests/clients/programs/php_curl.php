<?php
[, $address, $key, $secret, $method, $args, $result_type, $lang] = $argv;

function read(string $body, string $result_type): mixed
{
    return match ($result_type) {
        'json', 'jsonu' => json_decode($body, true, 512, JSON_THROW_ON_ERROR),
        'xml' => texts(simplexml_load_string($body)),
        'serialize' => unserialize($body, ['allowed_classes' => false]),
        // Code that somebody sends is not run: envelope reads it instead.
        'var_export' => json_decode(converted($body), true, 512, JSON_THROW_ON_ERROR),
    };
}

function texts(SimpleXMLElement $xml): array
{
    $response = $xml->response;
    return [
        'error_code' => (string) $xml->error_code,
        'error' => (string) $xml->error,
        'reason' => (string) $xml->reason,
        'text' => (string) ($response->choices->item[0]->text ?? $response->error->message ?? ''),
    ];
}

function converted(string $body): string
{
    $command = ['envelope', 'convert', '--from', 'var_export', '--to', 'json', '-'];
    $process = proc_open($command, [['pipe', 'r'], ['pipe', 'w']], $pipes);
    fwrite($pipes[0], $body);
    fclose($pipes[0]);
    $json = stream_get_contents($pipes[1]);
    if (proc_close($process) !== 0) throw new RuntimeException('not var_export');
    return $json;
}

$query = http_build_query([
    'key' => $key, 'secret' => $secret, 'method' => $method, '_o_args' => $args,
    'result_type' => $result_type, 'lang' => $lang,
]);
$curl = curl_init("$address?$query");
curl_setopt_array($curl, [CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 60, CURLOPT_ENCODING => '']);
$body = curl_exec($curl);
if ($body === false) throw new RuntimeException(curl_error($curl));

echo json_encode(read($body, $result_type)), "\n", curl_getinfo($curl, CURLINFO_RESPONSE_CODE), "\n";
